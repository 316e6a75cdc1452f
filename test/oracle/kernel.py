#!/usr/bin/env python3
"""The real kernel as the judge: sends packets through network namespaces and says what it saw, one JSON answer a line.

A line of standard input is a topology; several may be asked for at once, and each is built by a process of its own:
  {"id": NUMBER, "up": SHELL SCRIPT, "rules": SHELL SCRIPT, "warm": [{"netns", "address"}], "taps": {NAME: NETNS}, "traced": [NAME], "known": {NAME: SHELL SCRIPT}, "unforwarding": [NAME], "patience": FACTOR,
   "servers": [{"netns", "protocol", "port", "family"}],
   "questions": [{"netns", "protocol", "family", "source", "sourcePort", "destination", "destinationPort", "payload", "flags"}]}
and has a line in answer, {"id", "error"} or {"id", "observations": [OBSERVATION, ...]}, one a question:
  {"frames": [{"tap", "interface", "out", "hex", "time"}], "rules": [{"tap", "table", "chain", "number", "event", "family", "hex"}],
   "answer": {"kind", "from"}, "served": [{"netns", "from", "port"}], "flows": {NAME: [[ORIGINAL, REPLY], ...]}}

The argument is the number of the processor to run on. It must run in namespaces of its own (`unshare --net --mount --pid --fork --kill-child`, and `--map-root-user` for an ordinary user): all that it makes dies with it.
"""
import ctypes, errno, fcntl, glob, itertools, json, mmap, os, re, select, signal, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x00020000
SOL_PACKET, PACKET_VERSION, PACKET_RX_RING, TPACKET_V2 = 263, 10, 5, 1
ETH_P_ALL, PACKET_OUTGOING = 3, 4
NETLINK_NETFILTER, NFNL_SUBSYS_ULOG = 12, 4
MSG_ERRQUEUE, IP_RECVERR, IPV6_RECVERR, IP_PKTINFO = 0x2000, 11, 25, 8
TCP_ESTABLISHED = 1
# Seconds without a word: after everything, after a question for a neighbour that nobody answered; and in all.
QUIET, UNANSWERED, PATIENCE = 0.006, 0.07, 1.0
MOST_FRAMES = 20_000


# In a user namespace everybody is 0; root's own maps every id.
IS_ROOT = open('/proc/self/uid_map').read().split() == ['0', '0', '4294967295']
HOME = os.open('/proc/self/ns/net', os.O_RDONLY)


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
        # SO_RCVBUFFORCE is root's; an ordinary user gets what net.core.rmem_max allows.
        self.socket.setsockopt(socket.SOL_SOCKET, 33 if IS_ROOT else socket.SO_RCVBUF, 8 << 20)
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


def forget_paths(too_big):
    """What the namespace has learned about paths: MTUs and redirects, in both families' route caches."""
    for path in glob.glob('/proc/sys/net/ipv[46]/route/flush'):
        with open(path, 'w') as flush:
            flush.write('1')
    if too_big:
        # In IPv6 only netlink forgets them.
        subprocess.run(['ip', '-6', 'route', 'flush', 'cache'], check=True, stderr=subprocess.DEVNULL)


def tuple_of(data):
    """CTA_TUPLE_IP and CTA_TUPLE_PROTO as [source, destination, protocol, source port or id, destination port or type]."""
    parts = attributes(data)
    ip, proto = attributes(parts.get(1, b'')), attributes(parts.get(2, b''))
    family = socket.AF_INET if 1 in ip else socket.AF_INET6
    source, destination = (ip[1], ip[2]) if 1 in ip else (ip[3], ip[4])
    number = proto[1][0]
    port = lambda kind: struct.unpack('>H', proto[kind])[0] if kind in proto else 0
    ports = [port(4), proto[5][0]] if number == 1 else [port(7), proto[8][0]] if number == 58 else [port(2), port(3)]
    return [socket.inet_ntop(family, source), socket.inet_ntop(family, destination), number] + ports


def flows():
    """The conntrack entries of the namespace, each as its two tuples (IPCTNL_MSG_CT_GET)."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    s.send(struct.pack('=IHHII', 20, 1 << 8 | 1, 0x301, 1, 0) + struct.pack('=BBH', 0, 0, 0))
    found = []
    while True:
        data, at = s.recv(1 << 18), 0
        while at + 16 <= len(data):
            length, kind, _, _, _ = struct.unpack_from('=IHHII', data, at)
            if kind in (2, 3):                               # NLMSG_ERROR, NLMSG_DONE
                s.close()
                return found
            entry = attributes(data[at + 20:at + length])
            if 1 in entry and 2 in entry:
                found.append([tuple_of(entry[1]), tuple_of(entry[2])])
            at += (length + 3) & ~3


def be_impatient():
    """Every ICMP error is sent, and who does not answer ARP is given up at once instead of after three seconds."""
    settings = {'/proc/sys/net/ipv4/icmp_ratemask': '0', '/proc/sys/net/ipv6/icmp/ratelimit': '0', '/proc/sys/net/ipv6/route/mtu_expires': '0'}
    for device in glob.glob('/proc/sys/net/ipv[46]/neigh/*'):
        settings[device + '/mcast_solicit'] = '1'
        settings[device + '/retrans_time_ms'] = '20'
    # Of the route cache an ordinary user's namespace shows nothing but its flush.
    for path, value in settings.items():
        if os.path.exists(path):
            with open(path, 'w') as setting:
                setting.write(value)


FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
KIND = {'UDP': (socket.SOCK_DGRAM, 17), 'TCP': (socket.SOCK_STREAM, 6), 'SCTP': (socket.SOCK_STREAM, 132)}


def serve(server):
    kind, number = KIND[server['protocol']]
    s = socket.socket(FAMILY[server['family']], kind, number)
    if server['family'] == 6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_DGRAM:
        # A datagram is answered from the address that it was sent to, which IP_PKTINFO tells.
        s.setsockopt(*((socket.IPPROTO_IP, IP_PKTINFO) if server['family'] == 4 else (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO)), 1)
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


def tell_errors(s, family):
    """ICMP errors go to the socket's error queue, with their type, code and sender (ip(7), IP_RECVERR)."""
    s.setsockopt(*((socket.IPPROTO_IP, IP_RECVERR) if family == 4 else (socket.IPPROTO_IPV6, IPV6_RECVERR)), 1)


def send(question):
    """The socket that asks, its first packet sent; or an errno's name."""
    family = FAMILY[question['family']]
    if question['protocol'] == 'ICMP':
        s = socket.socket(family, socket.SOCK_RAW, 1 if question['family'] == 4 else 58)
        kind = 8 if question['family'] == 4 else 128
        head = struct.pack('>BBHHH', kind, 0, 0, question['sourcePort'], 1)
        body = b'\0' * question['payload']
        if question['family'] == 4:
            head = head[:2] + struct.pack('>H', checksum(head + body + b'\0' * (len(body) % 2))) + head[4:]
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.setblocking(False)
        tell_errors(s, question['family'])
        s.sendto(head + body, (question['destination'], 0))
        return s
    if question['flags'] is not None:
        return send_segment(question, family)
    kind, number = KIND[question['protocol']]
    s = socket.socket(family, kind, number)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tell_errors(s, question['family'])
    s.bind((question.get('source') or '', question['sourcePort']))
    s.setblocking(False)
    if kind == socket.SOCK_DGRAM and question['everyone']:
        # Anyone may answer, so the socket is not connected.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.sendto(b'\0' * question['payload'], (question['destination'], question['destinationPort']))
    elif kind == socket.SOCK_DGRAM:
        s.connect((question['destination'], question['destinationPort']))
        s.send(b'\0' * question['payload'])
    else:
        try:
            s.connect((question['destination'], question['destinationPort']))
        except BlockingIOError:
            pass
    return s


def send_segment(question, family):
    """One TCP segment of no connection, through a raw socket."""
    destination = question['destination']
    source = question.get('source')
    if source is None:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((destination, 9))
            source = probe.getsockname()[0]
    s = socket.socket(family, socket.SOCK_RAW, 6)
    s.bind((source, 0))
    s.setblocking(False)
    tell_errors(s, question['family'])
    acknowledged = 1 if question['flags'] & 16 else 0
    head = struct.pack('>HHIIBBHHH', question['sourcePort'], question['destinationPort'], 1, acknowledged, 5 << 4, question['flags'], 64240, 0, 0)
    pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, destination) + struct.pack('>II', len(head), 6)
    s.sendto(head[:16] + struct.pack('>H', checksum(pseudo + head)) + head[18:], (destination, 0))
    return s


def error_of(s, family):
    """The ICMP error in the socket's error queue (struct sock_extended_err), or None."""
    try:
        _, control, _, _ = s.recvmsg(1 << 16, 512, MSG_ERRQUEUE)
    except OSError:
        return None
    for _, _, data in control:
        number, origin, kind, code = struct.unpack_from('=IBBB', data)
        if origin in (2, 3):
            sender = socket.inet_ntop(FAMILY[family], data[20:24] if family == 4 else data[24:40])
            return {'kind': 'icmp', 'from': sender, 'type': kind, 'code': code}
        if origin == 1:
            return {'kind': 'error', 'errno': errno.errorcode.get(number, str(number))}
    return None


def answer_to_segment(question, s):
    error = error_of(s, question['family'])
    if error is not None:
        return error
    try:
        data, sender = s.recvfrom(65536)
    except OSError:
        return None
    if question['family'] == 4:
        data = data[(data[0] & 15) * 4:]
    if sender[0] != question['destination'] or struct.unpack_from('>HH', data) != (question['destinationPort'], question['sourcePort']):
        return None
    return {'kind': 'error', 'errno': 'ECONNREFUSED'} if data[13] & 4 else {'kind': 'reply', 'from': sender[0]}


def answer_of(question, s):
    """What the asker's socket got so far, or None."""
    if question['flags'] is not None:
        return answer_to_segment(question, s)
    if question['protocol'] == 'TCP' and s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_ESTABLISHED:
        return {'kind': 'reply', 'from': question['destination']}
    error = error_of(s, question['family'])
    if error is not None:
        return error
    try:
        if question['protocol'] == 'ICMP':
            data, sender = s.recvfrom(65536)
            if question['family'] == 4:
                data = data[(data[0] & 15) * 4:]
            identifier, = struct.unpack_from('>H', data, 4)
            return {'kind': 'reply', 'from': sender[0]} if data[0] in (0, 129) and identifier == question['sourcePort'] and (question['everyone'] or sender[0] == question['destination']) else None
        if question['protocol'] == 'UDP':
            s.recv(65536)
            return {'kind': 'reply', 'from': question['destination']}
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        # A reset of what was established for a moment (net/ipv4/tcp_input.c: tcp_reset): the end of the handshake is beyond a trace.
        if error == errno.ECONNRESET:
            return {'kind': 'reply', 'from': question['destination']}
        return {'kind': 'error', 'errno': errno.errorcode[error]} if error else None
    except BlockingIOError:
        return None
    except OSError as error:
        return {'kind': 'error', 'errno': errno.errorcode.get(error.errno, str(error.errno))}


def shell(script, *arguments):
    run = subprocess.run(['sh', '-s', *arguments], input=script, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode != 0:
        raise RuntimeError('the lab script failed: ' + run.stdout[-2000:])


class Judge:
    """One topology, built."""

    def __init__(self, spec):
        self.spec, self.namespaces, self.taps, self.logs, self.servers = spec, {}, {}, {}, []
        self.patience = spec.get('patience', 1)
        self.ready = select.epoll()
        self.too_big = False
        self.accepted = []

    def build(self):
        spec = self.spec
        shell(spec['up'], 'up')
        self.namespaces = {netns: Namespace(netns) for netns in os.listdir('/run/netns') if not netns.startswith('.')}
        for name, netns in spec['taps'].items():
            self.namespaces[netns].enter()
            self.taps[name] = Tap(self.namespaces[netns])
            if name in spec['traced']:
                self.logs[name] = RuleLog()
            be_impatient()
        for talk in spec['warm']:
            self.namespaces[talk['netns']].enter()
            with socket.socket(socket.AF_INET6 if ':' in talk['address'] else socket.AF_INET, socket.SOCK_DGRAM) as s:
                try:
                    s.sendto(b'', (talk['address'], 9))
                except OSError:
                    pass
        libc.setns(HOME, CLONE_NEWNET)
        # After the warming up, which rules could forbid.
        shell(spec['rules'])

    def listen(self):
        """Opens every server anew: a handshake that did not come to its end would meet the next one with the same translated ports."""
        for _, s in self.servers:
            s.close()
        self.servers = []
        for netns, servers in itertools.groupby(self.spec['servers'], lambda server: server['netns']):
            self.namespaces[netns].enter()
            self.servers += [(server, serve(server)) for server in servers]
        for _, s in self.servers:
            self.ready.register(s.fileno(), select.EPOLLIN)
        self.by_descriptor = {s.fileno(): (server, s) for server, s in self.servers}

    def pump(self, served):
        for descriptor, _ in self.ready.poll(0):
            server, s = self.by_descriptor[descriptor]
            try:
                if server['protocol'] == 'UDP':
                    data, control, _, sender = s.recvmsg(65536, 256)
                    s.sendmsg([data], [answered_from(item) for item in control], 0, sender)
                else:
                    connection, sender = s.accept()
                    self.accepted.append(connection)
                served.append({'netns': server['netns'], 'from': sender[0], 'sourcePort': sender[1], 'port': server['port']})
            except (BlockingIOError, OSError):
                pass

    def collect(self, frames, rules, asked):
        busy = False
        for name, tap in self.taps.items():
            for moment, interface, out, data in tap.read():
                busy = True
                note_neighbour(asked, out, data)
                frames.append({'tap': name, 'interface': interface, 'out': out, 'hex': data.hex(), 'time': moment})
        for name, log in self.logs.items():
            for event in log.read():
                busy = True
                rules.append({'tap': name, **event})
        return busy

    def ask(self, question, record):
        """Softirqs run in the sender's own context, so what does not wait for a timer or a server is over when send() returns."""
        frames, rules, served, asked, answer = [], [], [], set(), None
        for name, tap in self.taps.items():
            tap.namespace.enter()
            forget_paths(self.too_big)
            if name in self.logs:
                forget()
            if name in self.spec['unforwarding']:
                # A neighbour that an earlier question found dead keeps later ones from its routes (rt6_check_neigh).
                subprocess.run(['ip', '-6', 'neigh', 'flush', 'nud', 'failed'], check=False, stderr=subprocess.DEVNULL)
            if name in self.spec['known']:
                shell('exec 2>/dev/null\n' + self.spec['known'][name])
        self.listen()
        self.collect([], [], set())
        self.namespaces[question['netns']].enter()
        try:
            s = send(question)
        except OSError as error:
            s, answer = None, {'kind': 'error', 'errno': errno.errorcode.get(error.errno, str(error.errno))}
        end = time.monotonic() + PATIENCE * self.patience
        last = time.monotonic()
        while True:
            self.pump(served)
            busy = self.collect(frames, rules, asked)
            if answer is None and s is not None:
                answer = answer_of(question, s)
            now = time.monotonic()
            # Also where it never falls silent: two that answer each other for ever.
            if now > end or len(frames) > MOST_FRAMES:
                break
            if busy:
                last = now
            elif now - last > (UNANSWERED if asked else QUIET) * self.patience:
                break
            else:
                time.sleep(0.0005)
        for connection in [*([] if s is None else [s]), *self.accepted]:
            end_at_once(connection)
        self.accepted = []
        tracked = {}
        for name in self.logs if record else ():
            self.taps[name].namespace.enter()
            tracked[name] = flows()
        self.too_big = any(frame['hex'][24:28] == '86dd' and frame['hex'][40:42] == '3a' and frame['hex'][108:110] == '02' for frame in frames)
        frames.sort(key=lambda frame: frame['time'])
        return {'frames': frames, 'rules': rules, 'served': served, 'flows': tracked, 'answer': answer or {'kind': 'none', 'from': None}}


def end_at_once(connection):
    """With a reset, where there is a connection: no half-closed one meets the next question."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('=ii', 1, 0))
    connection.close()


def answered_from(item):
    """The control message of a received datagram as that of its answer: the same address, whatever device leads there."""
    level, kind, data = item
    if level == socket.IPPROTO_IP:
        return level, kind, struct.pack('=i4s4s', 0, data[4:8], b'\0' * 4)
    return level, socket.IPV6_PKTINFO, data[:16] + struct.pack('=i', 0)


def note_neighbour(asked, out, data):
    """Keeps the addresses that were asked for by ARP or neighbour solicitation and have not been answered."""
    kind = data[12:14]
    if kind == b'\x08\x06' and len(data) >= 42:
        if data[21] == 1 and out:
            asked.add(data[38:42])
        elif data[21] == 2:
            asked.discard(data[28:32])
    elif kind == b'\x86\xdd' and len(data) >= 78 and data[20] == 58:
        if data[54] == 135 and out and any(data[22:38]):
            asked.add(data[62:78])
        elif data[54] == 136:
            asked.discard(data[62:78])


def judge(spec):
    topology = Judge(spec)
    try:
        topology.build()
        for question in spec['questions']:
            # Once for the neighbours that must be asked; a server that waits for the end of that handshake is not asked by it again.
            topology.ask({**question, 'payload': min(question['payload'], 56), 'sourcePort': question['sourcePort'] + 1000}, False)
        return {'observations': [topology.ask(question, True) for question in spec['questions']]}
    except Exception as error:
        return {'error': '%s: %s' % (type(error).__name__, error)}


def apart(spec):
    """Judges in a process with a mount namespace of its own: its network namespaces end with it, which the next topology does not wait for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b'tmpfs', b'/run/netns', b'tmpfs', 0, None) != 0:
        return {'error': 'a mount namespace: ' + os.strerror(ctypes.get_errno())}
    os.environ['XTABLES_LOCKFILE'] = '/run/netns/.lock'
    return judge(spec)


def answer(spec, lock):
    line = json.dumps({'id': spec['id'], **apart(spec)}, separators=(',', ':')) + '\n'
    fcntl.lockf(lock, fcntl.LOCK_EX)
    sys.stdout.write(line)
    sys.stdout.flush()
    os._exit(0)


def main():
    # One processor: softirq work then runs in order, inside the send.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[int(sys.argv[1]) % len(processors)]})
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
    if not IS_ROOT:
        subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run'], check=True)
    os.makedirs('/run/netns', exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run/netns'], check=True)
    lock = open('/run/netns/lock', 'w')
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            answer(json.loads(line), lock)


if __name__ == '__main__':
    main()
