/** Netfilter, feature by feature, in the kernel. */
import { judgeFixed } from './fixed.ts';

judgeFixed({
  'test/fixtures/oracle/sets.k8snet': [
    ['pod1', 'pod2:80/TCP'],
    ['pod1', 'pod2:53/UDP'],
    ['pod1', 'pod2:54/UDP'],
    ['pod1', 'pod2'],
    ['pod1', 'pod4:80/TCP'],
    ['pod1', 'pod4'],
    ['pod1', 'pod3:80/TCP'],
    ['pod3', 'pod1:53/UDP'],
    ['pod2', 'pod1:53/UDP'],
    ['pod2', 'pod3'],
    ['pod1', '[fd00:10:0:5::150]:80/TCP'],
    ['pod1', '[fd00:10:0:5::150]:53/UDP'],
    ['pod1', 'fd00:10:0:5::150'],
    ['pod3', '[fd00:10:0:14::15]:80/TCP'],
    ['pod4', 'fd00:10:0:14::15'],
  ],
});
