#!/usr/bin/env python3
"""Peers and trackers of py-ipv8 inside one host of a natlab, driven by JSON lines as tests/Polder.Lab's own agent is.

    ip netns exec NS /usr/bin/python3 ipv8_cell.py --ipv8 DIR            (a checkout of py-ipv8 3.x, no part of this project)

stdin   {"do":"tracker","node":N,"port":P}                               py-ipv8's own tracker_service
        {"do":"start","node":N,"community":HEX,"join":["A.B.C.D:P"]}     a peer as py-ipv8's default configuration makes it:
                                                                          RandomWalk to 20 peers each 0.5 s, one bootstrapper, 30 s
        {"do":"stop","node":N}   {"do":"quit"}
stdout  agent; ready (key, port); peer (an introduction-response came: key, remote); called; pong; stopped; error
Every event has "node" and "at" (seconds of the machine's clock). Whoever is met is called each 0.2 s until it answers.
Only for network namespaces without an uplink: it binds 0.0.0.0. It has no other bootstrap address, no DNS and no broadcast."""
import argparse, asyncio, json, os, sys, threading, time, traceback


def emit(node, event, **fields):
    sys.stdout.write(json.dumps(dict(event=event, node=node, at=round(time.time(), 6), **fields)) + "\n")
    sys.stdout.flush()


def build(args):
    sys.dont_write_bytecode = True
    sys.path[:0] = [args.ipv8, os.path.join(args.ipv8, "scripts")]
    from ipv8.bootstrapping.dispersy.bootstrapper import DispersyBootstrapper
    from ipv8.community import Community
    from ipv8.keyvault.crypto import default_eccrypto
    from ipv8.lazy_community import lazy_wrapper
    from ipv8.messaging.interfaces.udp.endpoint import UDPEndpoint
    from ipv8.messaging.lazy_payload import VariablePayload
    from ipv8.messaging.payload_headers import BinMemberAuthenticationPayload
    from ipv8.peer import Peer
    from ipv8.peerdiscovery.discovery import RandomWalk
    from ipv8.peerdiscovery.network import Network

    class Number(VariablePayload):
        format_list, names = ["I"], ["number"]

    class Tracker:
        async def start(self, command):
            import tracker_service
            tracker_service.print = lambda *_: None
            self.service = tracker_service.TrackerService()
            await self.service.start_tracker(command["port"])
            emit(command["node"], "ready", key="", port=command["port"])

        async def stop(self):
            await self.service.shutdown()

    class Node:
        async def start(self, command):
            self.name = command["node"]
            self.me = Peer(default_eccrypto.generate_key("curve25519"))
            self.endpoint = UDPEndpoint(command.get("port", 0), "0.0.0.0")
            await self.endpoint.open()
            node = self

            class Lab(Community):
                community_id = bytes.fromhex(command["community"])

                def __init__(self, settings):
                    super().__init__(settings)
                    self.met, self.answered, self.count = {}, set(), 0
                    self.add_message_handler(1, self.on_call)
                    self.add_message_handler(2, self.on_echo)

                def introduction_response_callback(self, peer, dist, payload):
                    if peer.mid in self.met or peer not in self.get_peers(): return  # a tracker is never a peer
                    self.met[peer.mid] = peer
                    node.tell("peer", peer)
                    self.call(peer, 1, 0)

                def call(self, peer, message, number):
                    self.endpoint.send(peer.address, self._ez_pack(self._prefix, message, [
                        BinMemberAuthenticationPayload(self.my_peer.public_key.key_to_bin()), Number(number)]))

                def call_all(self):
                    for peer in self.met.values():
                        if peer.mid not in self.answered: self.call(peer, 1, 0)

                @lazy_wrapper(Number)
                def on_call(self, peer, payload):
                    self.call(peer, 2, payload.number)
                    node.tell("called", peer)

                @lazy_wrapper(Number)
                def on_echo(self, peer, payload):
                    if peer.mid in self.answered: return
                    self.answered.add(peer.mid)
                    node.tell("pong", peer)

            network = Network()
            self.overlay = Lab(Lab.settings_class(my_peer=self.me, endpoint=self.endpoint, network=network))
            self.overlay.bootstrappers.append(DispersyBootstrapper(
                [(a.split(":")[0], int(a.split(":")[1])) for a in command.get("join", [])], [], 30.0))
            self.walk = RandomWalk(self.overlay)
            emit(self.name, "ready", key=self.me.public_key.key_to_bin().hex(), port=self.endpoint.get_address()[1])
            self.tasks = [asyncio.ensure_future(x) for x in (self.every(0.5, self.step), self.every(0.2, self.overlay.call_all))]

        def tell(self, event, peer):
            emit(self.name, event, key=peer.public_key.key_to_bin().hex(), remote="%s:%d" % tuple(peer.address[:2]))

        def step(self):
            if len(self.overlay.get_peers()) < 20: self.walk.take_step()

        async def every(self, seconds, work):
            while True:
                try: work()
                except Exception: emit(self.name, "error", text=traceback.format_exc())
                await asyncio.sleep(seconds)

        async def stop(self):
            for task in self.tasks: task.cancel()
            await self.overlay.unload()
            self.endpoint.close()

    return {"tracker": Tracker, "start": Node}


async def run(args):
    makes, nodes, done, loop = build(args), {}, asyncio.Event(), asyncio.get_running_loop()

    async def obey(c):
        name = c.get("node", "")
        try:
            if c["do"] == "quit": done.set()
            elif c["do"] == "stop":
                if name in nodes: await nodes.pop(name).stop()
                emit(name, "stopped")
            else:
                nodes[name] = makes[c["do"]]()
                await nodes[name].start(c)
        except Exception:
            emit(name, "error", text=traceback.format_exc())

    def read():
        for line in sys.stdin:
            if line.strip(): loop.call_soon_threadsafe(lambda c=json.loads(line): asyncio.ensure_future(obey(c)))
        loop.call_soon_threadsafe(done.set)

    emit("", "agent")
    threading.Thread(target=read, daemon=True).start()
    await done.wait()
    os._exit(0)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--ipv8", required=True)
    asyncio.run(run(p.parse_args()))
