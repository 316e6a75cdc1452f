#!/usr/bin/env python3
"""The real kernel as the judge: sends packets through network namespaces and says what it saw, one JSON answer a line.

Reads one JSON line from standard input:
  {"up": SHELL SCRIPT, "warm": [{"netns", "address"}], "taps": {NAME: NETNS}, "servers": [{"netns", "protocol", "port", "family"}],
   "questions": [{"netns", "protocol", "family", "source", "sourcePort", "destination", "destinationPort", "payload"}]}
and prints a line a question:
  {"frames": [{"tap", "interface", "out", "hex", "time"}], "rules": [{"tap", "table", "chain", "number", "event", "family", "hex"}],
   "answer": {"kind", "from"}, "served": [{"netns", "from", "port"}]}

It must run in namespaces of its own (`unshare --net --mount --pid --fork --kill-child`): all that it makes dies with it.
"""
import ctypes, errno, glob, json, mmap, os, re, select, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_VERSION, PACKET_RX_RING, TPACKET_V2 = 263, 10, 5, 1
ETH_P_ALL, PACKET_OUTGOING = 3, 4
NETLINK_NETFILTER, NFNL_SUBSYS_ULOG = 12, 4
QUIET, PATIENCE = 0.08, 1.0


class Namespace:
    def __init__(self, netns):
        self.fd = os.open('/run/netns/' + netns, os.O_RDONLY)

    def enter(self):
        if libc.setns(self.fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), 'setns')


class Tap:
    """Every frame of every interface of a namespace. The ring copies the bytes when the tap sees them; a plain recv()
    would show what later stages wrote into the same buffer (net/packet/af_packet.c, tpacket_rcv)."""
    FRAME, BLOCK, BLOCKS = 4096, 1 << 16, 16

    def __init__(self, namespace):
        self.namespace = namespace
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, struct.pack('=I', TPACKET_V2))
        self.frames = self.BLOCK // self.FRAME * self.BLOCKS
        self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack('=IIII', self.BLOCK, self.BLOCKS, self.FRAME, self.frames))
        self.ring = mmap.mmap(self.socket.fileno(), self.BLOCK * self.BLOCKS)
        self.next = 0
        address = struct.pack('=HHiHBB8s', socket.AF_PACKET, socket.htons(ETH_P_ALL), 0, 0, 0, 0, b'')
        if libc.bind(self.socket.fileno(), address, len(address)) != 0:
            raise OSError(ctypes.get_errno(), 'bind')
        self.names = dict(socket.if_nameindex())

    def read(self):
        while True:
            at = self.next * self.FRAME
            status, _, captured, mac, _, seconds, nanoseconds = struct.unpack_from('=IIIHHII', self.ring, at)
            if not status & 1:
                return
            index, = struct.unpack_from('=i', self.ring, at + 36)
            out = self.ring[at + 42] == PACKET_OUTGOING
            data = bytes(self.ring[at + mac:at + mac + captured])
            struct.pack_into('=I', self.ring, at, 0)
            self.next = (self.next + 1) % self.frames
            yield seconds * 10**9 + nanoseconds, self.names.get(index, '?'), out, data


def attributes(data):
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from('=HH', data, at)
        if length < 4:
            break
        found[kind & 0x3fff] = data[at + 4:at + length]
        at += (length + 3) & ~3
    return found


class RuleLog:
    """The TRACE target of legacy iptables logs every rule that a packet meets; nfnetlink_log group 0 brings it here."""

    def __init__(self):
        for family in ('2', '10'):
            with open('/proc/sys/net/netfilter/nf_log/' + family, 'w') as setting:
                setting.write('nfnetlink_log')
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.bind((0, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
        self.configure(1, b'\x01')                           # NFULNL_CFG_CMD_BIND
        self.configure(2, struct.pack('>IBx', 256, 2))       # NFULNL_COPY_PACKET
        self.configure(5, struct.pack('>I', 1))              # flush every message at once
        self.socket.setblocking(False)

    def configure(self, kind, value):
        body = struct.pack('>BBH', 0, 0, 0) + struct.pack('=HH', 4 + len(value), kind) + value + b'\0' * (-len(value) % 4)
        self.socket.send(struct.pack('=IHHII', 16 + len(body), NFNL_SUBSYS_ULOG << 8 | 1, 5, 1, 0) + body)
        answer = self.socket.recv(65536)
        code, = struct.unpack_from('=i', answer, 16)
        if code:
            raise OSError(-code, 'nfnetlink_log')

    def read(self):
        while True:
            try:
                data = self.socket.recv(1 << 18)
            except BlockingIOError:
                return
            at = 0
            while at + 16 <= len(data):
                length, kind, _, _, _ = struct.unpack_from('=IHHII', data, at)
                if kind == NFNL_SUBSYS_ULOG << 8:
                    family = data[at + 16]
                    logged = attributes(data[at + 20:at + length])
                    prefix = logged.get(10, b'').rstrip(b'\0').decode()
                    event = re.match(r'TRACE: (\w+):([^:]+):(\w+):(\d+)', prefix)
                    if event:
                        yield {'table': event[1], 'chain': event[2], 'event': event[3], 'number': int(event[4]), 'family': 4 if family == 2 else 6,
                               'hex': logged.get(9, b'').hex()}
                at += (length + 3) & ~3


def forget():
    """Empties conntrack and the recent lists of the namespace: every question begins a new flow (IPCTNL_MSG_CT_DELETE without a tuple)."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    for family in (socket.AF_INET, socket.AF_INET6):
        s.send(struct.pack('=IHHII', 20, 1 << 8 | 2, 5, 1, 0) + struct.pack('=BBH', family, 0, 0))
        s.recv(65536)
    s.close()
    for path in glob.glob('/proc/net/xt_recent/*'):
        with open(path, 'w') as known:
            known.write('/')


def be_impatient():
    """Every ICMP error is sent, and who does not answer ARP is given up at once instead of after three seconds."""
    settings = {'/proc/sys/net/ipv4/icmp_ratemask': '0', '/proc/sys/net/ipv6/icmp/ratelimit': '0'}
    for device in glob.glob('/proc/sys/net/ipv[46]/neigh/*'):
        settings[device + '/mcast_solicit'] = '1'
        settings[device + '/retrans_time_ms'] = '20'
    for path, value in settings.items():
        with open(path, 'w') as setting:
            setting.write(value)


def trace_rules():
    for program in ('iptables-legacy', 'ip6tables-legacy'):
        for chain in ('PREROUTING', 'OUTPUT'):
            subprocess.run([program, '-w', '-t', 'raw', '-I', chain, '-j', 'TRACE'], check=True)


FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
KIND = {'UDP': (socket.SOCK_DGRAM, 17), 'TCP': (socket.SOCK_STREAM, 6), 'SCTP': (socket.SOCK_STREAM, 132)}


def serve(server):
    kind, number = KIND[server['protocol']]
    s = socket.socket(FAMILY[server['family']], kind, number)
    if server['family'] == 6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('', server['port']))
    if kind == socket.SOCK_STREAM:
        s.listen(16)
    s.setblocking(False)
    return s


def checksum(data):
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def send(question):
    """The socket that asks, its first packet sent; or an errno's name."""
    family = FAMILY[question['family']]
    if question['protocol'] == 'ICMP':
        s = socket.socket(family, socket.SOCK_RAW, 1 if question['family'] == 4 else 58)
        kind = 8 if question['family'] == 4 else 128
        head = struct.pack('>BBHHH', kind, 0, 0, question['sourcePort'], 1)
        body = b'\0' * question['payload']
        if question['family'] == 4:
            head = head[:2] + struct.pack('>H', checksum(head + body)) + head[4:]
        s.setblocking(False)
        s.sendto(head + body, (question['destination'], 0))
        return s
    kind, number = KIND[question['protocol']]
    s = socket.socket(family, kind, number)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((question.get('source') or '', question['sourcePort']))
    s.setblocking(False)
    if kind == socket.SOCK_DGRAM:
        s.connect((question['destination'], question['destinationPort']))
        s.send(b'\0' * question['payload'])
    else:
        try:
            s.connect((question['destination'], question['destinationPort']))
        except BlockingIOError:
            pass
    return s


def answer_of(question, s):
    """What the asker's socket got so far, or None."""
    try:
        if question['protocol'] == 'ICMP':
            data, sender = s.recvfrom(65536)
            if question['family'] == 4:
                data = data[(data[0] & 15) * 4:]
            if data[0] in (0, 129):
                return {'kind': 'reply', 'from': sender[0]}
            return {'kind': 'icmp', 'from': sender[0], 'type': data[0], 'code': data[1]} if data[0] in (3, 11, 1, 2) else None
        if question['protocol'] == 'UDP':
            s.recv(65536)
            return {'kind': 'reply', 'from': question['destination']}
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            return {'kind': 'error', 'errno': errno.errorcode[error]}
        return {'kind': 'reply', 'from': question['destination']} if select.select([], [s], [], 0)[1] else None
    except BlockingIOError:
        return None
    except OSError as error:
        return {'kind': 'error', 'errno': errno.errorcode.get(error.errno, str(error.errno))}


class Judge:
    def __init__(self, spec):
        run = subprocess.run(['sh', '-s', 'up'], input=spec['up'], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode != 0:
            raise RuntimeError('the lab script failed: ' + run.stdout[-2000:])
        self.namespaces = {netns: Namespace(netns) for netns in os.listdir('/run/netns')}
        self.taps, self.logs, self.servers = {}, {}, []
        for name, netns in spec['taps'].items():
            self.namespaces[netns].enter()
            self.taps[name] = Tap(self.namespaces[netns])
            self.logs[name] = RuleLog()
            trace_rules()
            be_impatient()
        for talk in spec['warm']:
            self.namespaces[talk['netns']].enter()
            with socket.socket(socket.AF_INET6 if ':' in talk['address'] else socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b'', (talk['address'], 9))
        for server in spec['servers']:
            self.namespaces[server['netns']].enter()
            self.servers.append((server, serve(server)))

    def pump(self, served):
        busy = False
        for server, s in self.servers:
            try:
                if server['protocol'] == 'UDP':
                    data, sender = s.recvfrom(65536)
                    s.sendto(data, sender)
                else:
                    connection, sender = s.accept()
                    connection.close()
                served.append({'netns': server['netns'], 'from': sender[0], 'sourcePort': sender[1], 'port': server['port']})
                busy = True
            except (BlockingIOError, OSError):
                pass
        return busy

    def collect(self, frames, rules):
        busy = False
        for name, tap in self.taps.items():
            for moment, interface, out, data in tap.read():
                busy = True
                frames.append({'tap': name, 'interface': interface, 'out': out, 'hex': data.hex(), 'time': moment})
        for name, log in self.logs.items():
            for event in log.read():
                busy = True
                rules.append({'tap': name, **event})
        return busy

    def ask(self, question):
        frames, rules, served, answer = [], [], [], None
        for tap in self.taps.values():
            tap.namespace.enter()
            forget()
        self.collect([], [])
        self.namespaces[question['netns']].enter()
        try:
            s = send(question)
        except OSError as error:
            return {'frames': [], 'rules': [], 'served': [], 'answer': {'kind': 'error', 'errno': errno.errorcode.get(error.errno, str(error.errno))}}
        end = time.time() + PATIENCE
        last = time.time()
        while time.time() < end and time.time() - last < QUIET:
            busy = self.pump(served) | self.collect(frames, rules)
            if answer is None:
                answer = answer_of(question, s)
            if busy:
                last = time.time()
        s.close()
        time.sleep(0.005)
        frames.sort(key=lambda frame: frame['time'])
        return {'frames': frames, 'rules': rules, 'served': served, 'answer': answer or {'kind': 'none', 'from': None}}


def main():
    # One processor: softirq work then runs in order, inside the send.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.makedirs('/run/netns', exist_ok=True)
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run/netns'], check=True)
    os.environ.setdefault('XTABLES_LOCKFILE', '/tmp/k8snet-oracle.lock')
    spec = json.loads(sys.stdin.readline())
    judge = Judge(spec)
    for question in spec['questions']:
        # Once for the neighbours that must be asked.
        judge.ask(question)
        print(json.dumps(judge.ask(question), separators=(',', ':')), flush=True)


if __name__ == '__main__':
    main()
