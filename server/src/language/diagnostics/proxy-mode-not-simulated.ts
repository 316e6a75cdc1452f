import { defineDiagnostic } from './define.ts';

export const proxyModeNotSimulated = defineDiagnostic<{ readonly mode: string }>({
  code: 'K8N4005',
  slug: 'proxy-mode-not-simulated',
  severity: 'warning',
  message: (p) => `${p.mode === 'other' ? 'What another program than kube-proxy does is not simulated' : `kube-proxy's mode ${p.mode} is not simulated yet`}: a trace to a service ends undecided; the others are not touched`,
});
