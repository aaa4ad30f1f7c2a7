#!/usr/bin/env python3
"""One reference IPv8 peer on the loopback interface, driven by JSON lines. For interop tests only.

Runs unchanged with any py-ipv8 checkout (3.x, 2.x, December 2020), which is not part of this project:

    /usr/bin/python3 ipv8_peer.py --ipv8 DIR [--port N] [--walk 20] [--trustchain] ...

It binds one UDP socket on 127.0.0.1, uses no bootstrappers, no DNS, no broadcast and no REST interface, and refuses to
send anything to an address outside 127.0.0.0/8 (event "blocked").

stdout: one JSON object per line, always with "event":
    ready      port, publicKey, mid, overlays, version
    peer       mid, publicKey, host, port, services, newStyle          a key was proved by a signed packet
    services   as peer                                                 its set of services changed (an update of "peer")
    lost       mid                                                     removed by churn or by the walker
    peers      peers: [...]                                            answer to "peers"
    pong       host, port, ms        ping host, port                   Discovery liveness, both directions
    message    from, id, hex                                           signed demo message (1: without dist, 2: with dist)
    block      how, block            how: created|signed|received|countersigned (an answer to an own proposal)
    pair       proposal, agreement                                     an own proposal got its agreement
    invalid    errors, block                                           a block that this peer refused
    crawled    key, blocks, known    answer to "crawl"
    chain      key, blocks           answer to "chain"
    crawlRequest  from, key, start, end                                somebody crawls this peer
    packet     dir, host, port, overlay, id, size, hex                 with --trace only
    dhtNodes   count, stored, storers   answer to "dhtNodes": nodes known, peers remembered, nodes that remember this one
    dhtStored  key, holders             answer to "dhtPut"
    dhtFound   key, values: [{hex, publicKey}]                         answer to "dhtGet"
    dhtConnected  mid, nodes: [{publicKey, host, port}]                answer to "dhtConnect"
    dhtPeerStored  storers              answer to "dhtStorePeer"
    blocked    host, port, overlay, id                                 a packet that would have left 127.0.0.0/8
    warning    logger, text          error what, text                  bye

stdin: one JSON object per line, always with "do" (an "id" in a command is repeated in its answer: peers, pair, crawled, chain, error):
    walk     host, port, [overlay]        introduction-request in every overlay, or one of demo|discovery|trustchain
    peers
    ping     [to | host, port]            Discovery ping to one peer or to all
    message  to, hex, [dist]              signed demo message
    propose  to, type, transaction
    source   type, transaction            a source block (link key = 74 times "0"), broadcast; py's "self-signed" is this too
    crawl    key, [chain], [start, end]   ask peer "key" for its chain (or for "chain"); without a range: the whole chain
    chain    [key]                        what is in the database (default: own chain)
    sign     policy                       all | none | comma-separated types, from now on
    dhtNodes                              with --dht
    dhtPut   key, hex, [sign]             store a value
    dhtGet   key                          find values
    dhtStorePeer                          have its own address remembered, now
    dhtConnect  mid                       find a peer by its mid
    raw      host, port, hex              any datagram
    walking  on                           true | false: pause the random walk
    quit
Bytes inside a transaction are written as {"$hex": "..."}.  End of stdin means quit, except with --keep.
"""
import argparse
import asyncio
import ipaddress
import json
import logging
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time

DEMO_ID = bytes.fromhex("02313685c1912a141279f8248fc8db5899c5df5a")


def emit(event, **fields):
    sys.stdout.write(json.dumps(dict(event=event, **fields), separators=(",", ":")) + "\n")
    sys.stdout.flush()


def to_json(value):
    if isinstance(value, bytes):
        return {"$hex": value.hex()}
    if isinstance(value, dict):
        return {k if isinstance(k, str) else str(to_json(k)): to_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(v) for v in value]
    return value


def from_json(value):
    if isinstance(value, dict):
        return bytes.fromhex(value["$hex"]) if set(value) == {"$hex"} \
            else {k: from_json(v) for k, v in value.items()}
    return [from_json(v) for v in value] if isinstance(value, list) else value


class EventLog(logging.Handler):
    """Warnings and errors of the library become events, as a test wants to see them."""

    def emit(self, record):
        try:
            emit("warning", logger=record.name, text=record.getMessage()[-2000:])
        except Exception:  # a closed stdout while stopping
            pass


def arguments():
    p = argparse.ArgumentParser(description="one loopback IPv8 reference peer, driven by JSON lines")
    p.add_argument("--ipv8", required=True, metavar="DIR", help="checkout of py-ipv8")
    p.add_argument("--host", default="127.0.0.1", help="address to bind, in 127.0.0.0/8")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--lan", help="the LAN address to claim (default: the bound address)")
    p.add_argument("--key", metavar="FILE", help="74-byte private bin; made if missing (default: a fresh key)")
    p.add_argument("--key-hex", metavar="HEX", help="74-byte private bin in hex")
    p.add_argument("--walk", type=int, default=20, metavar="TARGET",
                   help="RandomWalk target in each overlay; -1 never stops, 0 does not walk")
    p.add_argument("--interval", type=float, default=0.5, help="seconds between steps of the strategies")
    p.add_argument("--max-peers", type=int, default=30)
    p.add_argument("--no-discovery", action="store_true")
    p.add_argument("--no-demo", action="store_true")
    p.add_argument("--dht", action="store_true", help="run IPv8's DHT")
    p.add_argument("--no-churn", action="store_true", help="no RandomChurn and no PeriodicSimilarity")
    p.add_argument("--demo-id", default=DEMO_ID.hex(), help="another id for the demo overlay")
    p.add_argument("--trustchain", action="store_true", help="needs the checkout of 2020")
    p.add_argument("--testnet", action="store_true", help="TrustChain under the id of the test network")
    p.add_argument("--db", metavar="DIR", help="folder of the block database (default: a temporary one)")
    p.add_argument("--sign", default="all", help="all | none | comma-separated block types to countersign")
    p.add_argument("--no-crawl", action="store_true", help="do not crawl on introduction-responses")
    p.add_argument("--crawler", action="store_true", help="TrustChain crawler mode: whole chains")
    p.add_argument("--plain", action="store_true", help="agree to records of bandwidth by a copy, as to any type")
    p.add_argument("--sign-delay", type=float, default=10, help="seconds between repetitions of a proposal")
    p.add_argument("--trace", action="store_true", help="an event for every packet")
    p.add_argument("--keep", action="store_true", help="go on after the end of stdin")
    p.add_argument("--rest-free", action="store_true", help="accepted for clarity: this program never opens REST")
    p.add_argument("--log", default="WARNING")
    return p.parse_args()


def version_of(folder):
    try:
        with open(os.path.join(folder, "setup.py"), encoding="utf-8") as f:
            return re.search(r"version=['\"]([^'\"]+)", f.read()).group(1)
    except (OSError, AttributeError):
        return "unknown"


class ReferencePeer:

    def __init__(self, args):
        self.args = args
        self.overlays = {}
        self.strategies = []
        self.known = {}
        self.walking = True
        self.pings = {}
        self.report_pending = False
        self.temp = None
        self.stopped = None

    # ---- building -------------------------------------------------------------------------------------------------

    def quiet_library(self):
        """Take everything away that looks at, or talks to, the world outside. Each part exists in some versions only."""
        import ipv8.community as community
        for name in ("_DEFAULT_ADDRESSES", "_DNS_ADDRESSES"):  # until early 2021
            if hasattr(community, name):
                getattr(community, name).clear()
        try:  # 2.11 and later: interface discovery (one provider resolves the host name)
            import ipv8.messaging.interfaces.lan_addresses.interfaces as interfaces
            import ipv8.overlay as overlay
            interfaces.get_providers = overlay.get_providers = lambda: []
        except (ImportError, AttributeError):
            pass
        # Python 3.11 no longer samples sets, which older versions do.
        import ipv8.peerdiscovery.churn as churn
        import ipv8.peerdiscovery.community as discovery
        for module in (churn, discovery):
            if getattr(module, "sample", None) is random.sample:
                module.sample = lambda population, k: random.sample(list(population), k)

    def add_overlay(self, name, cls, **extra):
        if hasattr(cls, "settings_class"):
            settings = cls.settings_class(my_peer=self.me, endpoint=self.endpoint, network=self.network)
            settings.max_peers = self.args.max_peers
            for k, v in extra.items():
                setattr(settings, k, v)
            overlay = cls(settings)
        else:
            overlay = cls(self.me, self.endpoint, self.network, max_peers=self.args.max_peers, **extra)
        self.overlays[name] = overlay
        return overlay

    def build(self):
        args = self.args
        from ipv8.community import Community
        from ipv8.keyvault.crypto import default_eccrypto
        from ipv8.lazy_community import lazy_wrapper
        from ipv8.messaging.interfaces.dispatcher.endpoint import DispatcherEndpoint
        from ipv8.messaging.interfaces.udp.endpoint import UDPv4Address
        from ipv8.messaging.lazy_payload import VariablePayload
        from ipv8.messaging.payload_headers import BinMemberAuthenticationPayload, GlobalTimeDistributionPayload
        from ipv8.peer import Peer
        from ipv8.peerdiscovery.churn import RandomChurn
        from ipv8.peerdiscovery.community import DiscoveryCommunity, PeriodicSimilarity
        from ipv8.peerdiscovery.discovery import RandomWalk
        from ipv8.peerdiscovery.network import Network
        self.quiet_library()
        self.Address, self.Peer = UDPv4Address, Peer

        if args.key_hex:
            key = default_eccrypto.key_from_private_bin(bytes.fromhex(args.key_hex))
        elif args.key and os.path.exists(args.key):
            with open(args.key, "rb") as f:
                key = default_eccrypto.key_from_private_bin(f.read())
        else:
            key = default_eccrypto.generate_key("curve25519")
            if args.key:
                with open(args.key, "wb") as f:
                    f.write(key.key_to_bin())
        self.me = Peer(key)
        self.endpoint = DispatcherEndpoint(["UDPIPv4"], UDPIPv4={"ip": args.host, "port": args.port})
        self.network = Network()
        for name in ("add_verified_peer", "discover_services", "remove_peer", "remove_by_address"):
            self.watch(self.network, name)
        driver = self

        if not args.no_discovery:
            class Discovery(DiscoveryCommunity):
                def on_ping(self, source_address, data):
                    emit("ping", host=source_address[0], port=source_address[1])
                    return super().on_ping(source_address, data)

                def on_pong(self, source_address, data):
                    sent = driver.pings.pop(tuple(source_address[:2]), None)
                    emit("pong", host=source_address[0], port=source_address[1],
                         ms=None if sent is None else round((time.time() - sent) * 1000, 3))
                    return super().on_pong(source_address, data)

            overlay = self.add_overlay("discovery", Discovery)
            if not args.no_churn:
                self.strategies.append((RandomChurn(overlay), -1))
                self.strategies.append((PeriodicSimilarity(overlay), -1))

        if not args.no_demo:
            class Raw(VariablePayload):
                format_list = ["raw"]
                names = ["data"]

            class Demo(Community):
                community_id = bytes.fromhex(args.demo_id)

                def __init__(self, *a, **kw):
                    super().__init__(*a, **kw)
                    self.add_message_handler(1, self.on_plain)
                    self.add_message_handler(2, self.on_with_dist)

                @lazy_wrapper(Raw)
                def on_plain(self, peer, payload):
                    emit("message", **{"from": peer.public_key.key_to_bin().hex()}, id=1, hex=payload.data.hex())

                @lazy_wrapper(GlobalTimeDistributionPayload, Raw)
                def on_with_dist(self, peer, dist, payload):
                    emit("message", **{"from": peer.public_key.key_to_bin().hex()}, id=2, hex=payload.data.hex())

                def say(self, peer, data, with_dist):
                    parts = [BinMemberAuthenticationPayload(self.my_peer.public_key.key_to_bin())]
                    if with_dist:
                        parts.append(GlobalTimeDistributionPayload(self.claim_global_time()))
                    packet = self._ez_pack(self._prefix, 2 if with_dist else 1, parts + [Raw(data)])
                    self.endpoint.send(peer.address, packet)

            self.add_overlay("demo", Demo)

        if args.dht:
            from ipv8.dht.churn import PingChurn
            from ipv8.dht.discovery import DHTDiscoveryCommunity
            overlay = self.add_overlay("dht", DHTDiscoveryCommunity)
            self.strategies.append((PingChurn(overlay), -1))

        if args.trustchain or args.testnet:
            self.build_trustchain()
        if args.walk != 0:
            for overlay in self.overlays.values():
                self.strategies.append((RandomWalk(overlay), args.walk))

    def build_trustchain(self):
        try:
            from ipv8.attestation.trustchain.block import TrustChainBlock
            from ipv8.attestation.trustchain.community import TrustChainCommunity, TrustChainTestnetCommunity
            from ipv8.attestation.trustchain.listener import BlockListener
            from ipv8.attestation.trustchain.settings import TrustChainSettings
        except ImportError as e:
            raise SystemExit("this checkout has no TrustChain (%s)" % e)
        driver, args = self, self.args
        base = TrustChainTestnetCommunity if args.testnet else TrustChainCommunity

        class Chain(base):
            async def should_sign(self, block):
                policy = args.sign
                return policy == "all" or (policy != "none" and block.type.decode("utf-8", "replace")
                                           in policy.split(","))

            def validate_persist_block(self, block):
                validation = super().validate_persist_block(block)
                if str(validation[0]).endswith("invalid"):
                    emit("invalid", errors=[str(e) for e in validation[1]], block=driver.block_json(block))
                return validation

            def introduction_response_callback(self, peer, dist, payload):
                if not args.no_crawl:
                    return super().introduction_response_callback(peer, dist, payload)

            def received_crawl_request(self, source_address, data):
                body = data[23 + 2 + 74 + 8:]
                if len(data) == 257:  # py's own form; Kotlin's has 265 bytes, and py refuses it
                    emit("crawlRequest", **{"from": data[25:99].hex()}, key=body[:74].hex(), size=len(data),
                         start=int.from_bytes(body[74:78], "big", signed=True),
                         end=int.from_bytes(body[78:82], "big", signed=True))
                return super().received_crawl_request(source_address, data)

        class Listener(BlockListener):
            def should_sign(self, block):
                return False  # Chain.should_sign decides

            def received_block(self, block):
                mine = driver.me.public_key.key_to_bin()
                if block.public_key == mine:
                    how = "created" if block.link_sequence_number == 0 else "signed"
                else:
                    how = "countersigned" if block.link_public_key == mine and block.link_sequence_number \
                        else "received"
                emit("block", how=how, block=driver.block_json(block))

        class BandwidthBlock(TrustChainBlock):
            """As a peer of the bandwidth accounting answers: what the proposer got, the signer gave, with its own totals."""

            @classmethod
            def create(cls, block_type, transaction, database, public_key, link=None, additional_info=None, link_pk=None):
                if link is not None and additional_info is None:
                    before = database.get_latest(public_key, block_type=b"tribler_bandwidth")
                    totals = before.transaction if before else {"total_up": 0, "total_down": 0}
                    asked = link.transaction
                    additional_info = {"up": asked["down"], "down": asked["up"],
                                       "total_up": totals["total_up"] + asked["down"],
                                       "total_down": totals["total_down"] + asked["up"]}
                return super().create(block_type, transaction, database, public_key, link=link,
                                      additional_info=additional_info, link_pk=link_pk)

        class BandwidthListener(Listener):
            BLOCK_CLASS = BandwidthBlock

            def received_block(self, block):
                pass  # the listener of all types tells

        settings = TrustChainSettings()
        settings.crawler = args.crawler
        settings.sign_attempt_delay = args.sign_delay
        folder = args.db
        if not folder:
            folder = self.temp = tempfile.mkdtemp(prefix="ipv8-peer-")
        chain = self.add_overlay("trustchain", Chain, working_directory=folder, settings=settings)
        chain.add_listener(Listener(), [Chain.UNIVERSAL_BLOCK_LISTENER])
        if not args.plain:
            chain.add_listener(BandwidthListener(), [b"tribler_bandwidth"])

    def watch(self, target, name):
        original = getattr(target, name, None)
        if original is None:
            return

        def wrapped(*a, **kw):
            result = original(*a, **kw)
            self.report_soon()
            return result
        setattr(target, name, wrapped)

    def guard(self, udp):
        """Nothing leaves the loopback network, whatever a packet or the library says."""
        original_send, original_notify = udp.send, udp.notify_listeners

        def packet_fields(address, packet):
            return dict(host=address[0], port=address[1], overlay=packet[2:22].hex(),
                        id=packet[22] if len(packet) > 22 else None)

        def send(address, packet):
            try:
                allowed = ipaddress.ip_address(address[0]) in ipaddress.ip_network("127.0.0.0/8") and address[1] > 0
            except ValueError:
                allowed = False
            if not allowed:
                return emit("blocked", **packet_fields(address, packet))
            if self.args.trace:
                emit("packet", dir="out", size=len(packet), hex=packet.hex(), **packet_fields(address, packet))
            return original_send(address, packet)

        def notify_listeners(packet):
            if self.args.trace:
                emit("packet", dir="in", size=len(packet[1]), hex=packet[1].hex(),
                     **packet_fields(packet[0], packet[1]))
            return original_notify(packet)
        udp.send, udp.notify_listeners = send, notify_listeners

    def pin_lan(self, overlay, port):
        lan = self.args.lan or self.args.host
        overlay.my_estimated_lan = self.Address(lan, port)
        overlay._get_lan_address = lambda bootstrap=False: (lan, 0 if bootstrap else port)
        if hasattr(overlay, "_netifaces_failed"):  # 2020
            overlay._netifaces_failed = True
            overlay.get_lan_address_without_netifaces = lambda: lan

    # ---- running --------------------------------------------------------------------------------------------------

    async def run(self):
        args = self.args
        self.loop = asyncio.get_running_loop()
        self.stopped = asyncio.Event()
        self.build()
        self.guard(self.endpoint.interfaces["UDPIPv4"])
        await self.endpoint.open()
        port = self.endpoint.get_address()[1]
        if args.port and port != args.port:
            raise SystemExit("port %d is taken" % args.port)
        for overlay in self.overlays.values():
            self.pin_lan(overlay, port)
        emit("ready", host=args.host, port=port, publicKey=self.me.public_key.key_to_bin().hex(),
             mid=self.me.mid.hex(), version=version_of(args.ipv8), pid=os.getpid(),
             overlays={n: o.community_id.hex() for n, o in self.overlays.items()})
        threading.Thread(target=self.read_commands, daemon=True).start()
        ticker = asyncio.ensure_future(self.tick())
        await self.stopped.wait()
        ticker.cancel()
        try:  # py-ipv8 may wait for its own tasks here; a test should not
            await asyncio.wait_for(asyncio.gather(*(o.unload() for o in self.overlays.values())), 3)
        except Exception:
            pass
        closed = self.endpoint.close()
        if asyncio.iscoroutine(closed):
            await closed
        if self.temp:
            shutil.rmtree(self.temp, ignore_errors=True)
        emit("bye")

    async def tick(self):
        while True:
            if self.walking:
                for strategy, target in self.strategies:
                    try:
                        if target == -1 or len(strategy.overlay.get_peers()) < target:
                            strategy.take_step()
                    except Exception as e:
                        emit("error", what=type(strategy).__name__, text=repr(e))
            await asyncio.sleep(self.args.interval)

    def read_commands(self):
        for line in sys.stdin:
            if line.strip():
                self.loop.call_soon_threadsafe(self.command, line)
        if not self.args.keep:
            self.loop.call_soon_threadsafe(self.stopped.set)

    def command(self, line):
        tag = {}
        try:
            c = json.loads(line)
            tag = {"id": c["id"]} if "id" in c else {}
            handler = getattr(self, "do_" + c["do"], None)
            if handler is None:
                raise ValueError("unknown command " + c["do"])
            result = handler(c, tag)
            if asyncio.iscoroutine(result):
                asyncio.ensure_future(self.guarded(c["do"], tag, result))
        except Exception as e:
            emit("error", what="command", text=repr(e), **tag)

    async def guarded(self, what, tag, coroutine):
        try:
            await coroutine
        except Exception as e:
            emit("error", what=what, text=repr(e), **tag)

    # ---- events ---------------------------------------------------------------------------------------------------

    def report_soon(self):
        if not self.report_pending:
            self.report_pending = True
            self.loop.call_soon_threadsafe(self.report)

    def peer_json(self, peer):
        services = sorted(s.hex() for s in self.network.get_services_for_peer(peer))
        return dict(mid=peer.mid.hex(), publicKey=peer.public_key.key_to_bin().hex(), host=peer.address[0],
                    port=peer.address[1], services=services, newStyle=bool(getattr(peer, "new_style_intro", False)))

    def report(self):
        self.report_pending = False
        now = {p.mid: self.peer_json(p) for p in list(self.network.verified_peers)}
        for mid, peer in now.items():
            before = self.known.get(mid)
            if before is None:
                emit("peer", **peer)
            elif before["services"] != peer["services"]:
                emit("services", **peer)
        for mid in set(self.known) - set(now):
            emit("lost", mid=mid.hex())
        self.known = now

    def block_json(self, b):
        return dict(hash=b.hash.hex(), type=b.type.decode("utf-8", "replace"), transaction=to_json(b.transaction),
                    publicKey=b.public_key.hex(), sequence=b.sequence_number, linkPublicKey=b.link_public_key.hex(),
                    linkSequence=b.link_sequence_number, previousHash=b.previous_hash.hex(),
                    timestamp=b.timestamp, hex=b.pack().hex())

    # ---- commands -------------------------------------------------------------------------------------------------

    def peer_by_key(self, key):
        key = bytes.fromhex(key)
        peer = self.network.get_verified_by_public_key_bin(key)
        if peer is None:
            raise ValueError("no verified peer with this key")
        return peer

    def chain_overlay(self):
        if "trustchain" not in self.overlays:
            raise ValueError("started without --trustchain")
        return self.overlays["trustchain"]

    def do_walk(self, c, tag):
        names = [c["overlay"]] if "overlay" in c else list(self.overlays)
        for name in names:
            self.overlays[name].walk_to(self.Address(c["host"], c["port"]))

    def do_peers(self, c, tag):
        emit("peers", peers=[self.peer_json(p) for p in self.network.verified_peers], **tag)

    def do_ping(self, c, tag):
        if "to" in c:
            targets = [self.peer_by_key(c["to"])]
        elif "host" in c:
            targets = [self.Peer(self.me.key, self.Address(c["host"], c["port"]))]
        else:
            targets = list(self.network.verified_peers)
        for peer in targets:
            self.pings[tuple(peer.address[:2])] = time.time()
            self.overlays["discovery"].send_ping(peer)

    def do_message(self, c, tag):
        self.overlays["demo"].say(self.peer_by_key(c["to"]), bytes.fromhex(c["hex"]), c.get("dist", False))

    # Versions differ in how they keep things: one table or one per address class, lists or tuples of values.

    def dht_tables(self):
        dht = self.overlays["dht"]
        tables = getattr(dht, "routing_tables", None)
        return list(tables.values()) if tables is not None else [dht.routing_table]

    def do_dhtNodes(self, c, tag):
        dht = self.overlays["dht"]
        count = sum(len(bucket.nodes) for table in self.dht_tables() for bucket in table.trie.values())
        emit("dhtNodes", count=count, stored=sum(map(len, dht.store.values())),
             storers=sum(map(len, dht.store_for_me.values())), **tag)

    async def do_dhtPut(self, c, tag):
        nodes = await self.overlays["dht"].store_value(bytes.fromhex(c["key"]), bytes.fromhex(c["hex"]), sign=bool(c.get("sign")))
        emit("dhtStored", key=c["key"], holders=len(nodes), **tag)

    async def do_dhtGet(self, c, tag):
        values = await self.overlays["dht"].find_values(bytes.fromhex(c["key"]))
        emit("dhtFound", key=c["key"], values=[dict(hex=v[0].hex(), publicKey=v[1].hex() if v[1] else "") for v in values], **tag)

    async def do_dhtStorePeer(self, c, tag):
        dht = self.overlays["dht"]
        await dht.store_peer()
        emit("dhtPeerStored", storers=sum(map(len, dht.store_for_me.values())), **tag)

    async def do_dhtConnect(self, c, tag):
        nodes = await self.overlays["dht"].connect_peer(bytes.fromhex(c["mid"]))
        emit("dhtConnected", mid=c["mid"], nodes=[dict(publicKey=n.public_key.key_to_bin().hex(), host=n.address[0], port=n.address[1])
                                                  for n in nodes], **tag)

    def do_raw(self, c, tag):
        self.endpoint.send(self.Address(c["host"], c["port"]), bytes.fromhex(c["hex"]))

    def do_walking(self, c, tag):
        self.walking = bool(c["on"])

    def do_sign(self, c, tag):
        self.args.sign = c["policy"]

    def do_quit(self, c, tag):
        self.stopped.set()

    async def do_propose(self, c, tag):
        chain, peer = self.chain_overlay(), self.peer_by_key(c["to"])
        future = chain.sign_block(peer, peer.public_key.key_to_bin(), block_type=c["type"].encode(),
                                  transaction=from_json(c.get("transaction", {})))
        first, second = await future
        if first is not None and first.link_sequence_number:
            first, second = second, first
        emit("pair", proposal=first and self.block_json(first), agreement=second and self.block_json(second), **tag)

    async def do_source(self, c, tag):
        await self.chain_overlay().create_source_block(c["type"].encode(), from_json(c.get("transaction", {})))

    async def do_crawl(self, c, tag):
        chain, peer = self.chain_overlay(), self.peer_by_key(c["key"])
        key = bytes.fromhex(c["chain"]) if "chain" in c else peer.public_key.key_to_bin()
        blocks = None
        if "chain" in c or "start" in c:
            blocks = await chain.send_crawl_request(peer, key, c.get("start", 1), c.get("end", -1))
        else:
            await chain.crawl_chain(peer, latest_block_num=c.get("length", 0))
        emit("crawled", key=key.hex(), known=chain.persistence.get_number_of_known_blocks(public_key=key),
             blocks=None if blocks is None else [self.block_json(b) for b in blocks], **tag)

    def do_chain(self, c, tag):
        key = bytes.fromhex(c["key"]) if "key" in c else self.me.public_key.key_to_bin()
        blocks = self.chain_overlay().persistence.get_latest_blocks(key, limit=100000)
        emit("chain", key=key.hex(), blocks=[self.block_json(b) for b in reversed(blocks)], **tag)


def main():
    args = arguments()
    if ipaddress.ip_address(args.host) not in ipaddress.ip_network("127.0.0.0/8"):
        raise SystemExit("--host must be in 127.0.0.0/8")
    if not os.path.isdir(os.path.join(args.ipv8, "ipv8")):
        raise SystemExit("no py-ipv8 checkout at %s" % args.ipv8)
    logging.basicConfig(level=args.log.upper(), stream=sys.stderr)
    handler = EventLog()
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.abspath(args.ipv8))
    asyncio.run(ReferencePeer(args).run())


if __name__ == "__main__":
    main()
