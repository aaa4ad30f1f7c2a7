#!/usr/bin/env python3
"""A host of a natlab that plays foul, driven by JSON lines: it listens in, repeats, forges and floods. Needs root, and a lab without an uplink.

stdin   {"do":"listen","node":N}                         (in the lab's "net": all frames of the public bridge; events "heard", newest 4096 kept)
        {"do":"heard","node":N,"from":IP,"to":IP}        tells the UDP payloads that went that way so far: {"hex":[...]}
        {"do":"open","node":N,"port":P,"from":IP}        an ordinary UDP socket; what comes from there is counted
        {"do":"send","node":N,"to":"IP:P","hex":[...]}   from that socket;    with "as":"IP:P" from a forged address
        {"do":"count","node":N}                          {"out":bytes,"in":bytes,"packetsIn":n}; sets both to zero
        {"do":"flood","node":N,"to":"IP:P","perSecond":R,"seconds":S,"kind":"junk"|"header"|"handshake", ...}
              junk: random bytes of random lengths; header: a right prefix ("prefix":HEX of 22 bytes) and random rest;
              handshake: message 1 as large as a real one with a right mac1 ("head":HEX, "key":HEX of 74 bytes) and no meaning. Random sources
        {"do":"quit"}
stdout  agent; opened; heard; counted; flooded {"sent":n}; error. Every event has "node" and "at"."""
import hashlib, hmac, json, os, random, select, socket, struct, sys, threading, time, traceback


def emit(node, event, **fields):
    sys.stdout.write(json.dumps(dict(event=event, node=node, at=round(time.time(), 6), **fields)) + "\n")
    sys.stdout.flush()


def endpoint(text): ip, port = text.rsplit(":", 1); return ip, int(port)


def frame(source, target, payload):
    """IPv4 and UDP headers; the kernel fills in the IP checksum, a UDP checksum of 0 means none."""
    (sip, sport), (tip, tport) = source, target
    return struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, socket.inet_aton(sip), socket.inet_aton(tip),
                       sport, tport, 8 + len(payload), 0) + payload


class Host:
    def __init__(self): self.heard, self.socket, self.bytes_in, self.bytes_out, self.packets_in = [], None, 0, 0, 0

    def listen(self, c):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # all: a bridge takes its frames before IP sees them

        def run():
            while True:
                data = s.recv(65536)
                if len(data) < 42 or data[12:14] != b'\x08\0' or data[23] != 17: continue
                head = 14 + (data[14] & 15) * 4
                size = struct.unpack("!H", data[head + 4:head + 6])[0]
                self.heard.append((socket.inet_ntoa(data[26:30]), socket.inet_ntoa(data[30:34]), data[head + 8:head + size]))
                del self.heard[:-4096]
        threading.Thread(target=run, daemon=True).start()
        emit(c["node"], "listening")

    def tell(self, c):
        seen = []                                             # each frame is seen at several ports of the bridge
        for a, b, payload in list(self.heard):
            if a == c["from"] and b == c["to"] and payload not in seen: seen.append(payload)
        emit(c["node"], "heard", hex=[p.hex() for p in seen])

    def open(self, c):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("0.0.0.0", c.get("port", 0)))

        def run():
            while True:
                data, source = self.socket.recvfrom(65536)
                if source[0] != c.get("from", source[0]): continue
                self.bytes_in += len(data); self.packets_in += 1
        threading.Thread(target=run, daemon=True).start()
        emit(c["node"], "opened", port=self.socket.getsockname()[1])

    def send(self, c):
        to = endpoint(c["to"])
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) if "as" in c else None
        for text in c["hex"]:
            data = bytes.fromhex(text)
            if raw: raw.sendto(frame(endpoint(c["as"]), to, data), (to[0], 0))
            else: self.socket.sendto(data, to)
            self.bytes_out += len(data)
        emit(c["node"], "sent")

    def count(self, c):
        emit(c["node"], "counted", out=self.bytes_out, **{"in": self.bytes_in}, packetsIn=self.packets_in)
        self.bytes_in = self.bytes_out = self.packets_in = 0

    def flood(self, c):
        rnd, to = random.Random(c.get("seed", 1)), endpoint(c["to"])

        def payload():
            if c["kind"] == "junk": return rnd.randbytes(rnd.choice((1, 23, 61, 100, 300, 1200)))
            if c["kind"] == "header": return bytes.fromhex(c["prefix"]) + rnd.randbytes(rnd.choice((1, 40, 170, 1100)))
            head = bytes.fromhex(c["head"]); body = head + rnd.randbytes(282 - 32 - len(head))
            mac = hmac.new(hashlib.sha256(b"nx-mac1" + bytes.fromhex(c["key"])).digest(), body, hashlib.sha256).digest()[:16]
            return body + mac + bytes(16)

        def source():                                         # anywhere but special ranges
            return "%d.%d.%d.%d" % (rnd.choice([x for x in range(11, 190) if x not in (100, 127, 169, 172)]), rnd.randrange(256), rnd.randrange(256),
                                    rnd.randrange(1, 255)), rnd.randrange(1024, 65536)
        packets = [frame(source(), to, payload()) for _ in range(min(20000, c["perSecond"] * 4))]
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        raw.connect((to[0], 0))
        begun, sent, rate, end = time.monotonic(), 0, c["perSecond"], c["seconds"]
        while True:
            now = time.monotonic() - begun
            if now >= end: break
            due = int(now * rate)
            while sent < due:
                try: raw.send(packets[sent % len(packets)])
                except OSError: pass                          # a full queue: dropped like on any link
                sent += 1
            time.sleep(0.0005)
        emit(c["node"], "flooded", sent=sent)


def main():
    hosts = {}
    emit("", "agent")
    for line in sys.stdin:
        if not line.strip(): continue
        c = json.loads(line)
        if c["do"] == "quit": break
        host = hosts.setdefault(c["node"], Host())
        work = {"heard": host.tell}.get(c["do"]) or getattr(host, c["do"])
        try:
            if c["do"] == "flood": threading.Thread(target=work, args=(c,), daemon=True).start()
            else: work(c)
        except Exception:
            emit(c["node"], "error", text=traceback.format_exc())
    os._exit(0)


if __name__ == "__main__": main()
