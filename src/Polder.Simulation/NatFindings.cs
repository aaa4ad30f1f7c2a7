using Polder.Net;
using Polder.Simulation.Network;

namespace Polder.Simulation;

/// <summary>How a NAT box looks from outside, in the words of natlab's <c>probe</c>.</summary>
/// <param name="Mapping">"EI", "AD" or "APD" (RFC 4787), "blocked" where no UDP passes.</param>
/// <param name="Filtering">The same.</param>
/// <param name="Port">Outer port of a first flow: "kept", "sequential" or "random"; "-" where none is.</param>
/// <param name="Step">Difference of the outer ports of four flows to (ip1, p1), (ip1, p2), (ip2, p1), (ip2, p2): a number, "random", or "-".</param>
/// <param name="Hairpin">Whether two sockets behind the box reach each other's outer address.</param>
/// <param name="Translates">Whether the outer address is the box's.</param>
public sealed record NatFindings(string Mapping, string Filtering, string Port, string Step, bool Hairpin, bool Translates)
{
    /// <summary>Asks two public machines from a fresh home, as a STUN client does and as natlab's natprobe.py does in a lab.</summary>
    public static NatFindings Probe(ulong seed, Home home) => new Asker(seed, home).Run();

    private sealed class Asker
    {
        private const ushort FirstPort = 3478, SecondPort = 3479, InnerPort = 40_000;

        private readonly World _world;
        private readonly SimulatedNode _inner;
        private readonly Dictionary<(int Server, ushort Port), SimulatedSocket> _servers = [];
        private readonly Dictionary<SimulatedSocket, Endpoint> _seenAt = [];
        private ushort _nextPort = InnerPort;

        public Asker(ulong seed, Home home)
        {
            _world = new World(seed);
            for (var i = 0; i < 2; i++)
            {
                var server = _world.AddNode($"server{i}", new Home { Port = 1 }, _ => null);
                foreach (var port in (ushort[])[FirstPort, SecondPort])
                {
                    var socket = _world.AddSocket(server, port);
                    socket.Received = (from, _) => _seenAt[socket] = from;
                    _servers.Add((i, port), socket);
                }
            }
            _inner = _world.AddNode("inner", home, _ => null);
        }

        public NatFindings Run()
        {
            var socket = Open();
            var seen = (Endpoint?[])[Ask(socket, 0, FirstPort), Ask(socket, 0, SecondPort), Ask(socket, 1, FirstPort), Ask(socket, 1, SecondPort)];
            if (seen[0] is not { } first) return new NatFindings("blocked", "blocked", "-", "-", false, true);
            var mapping = seen.Distinct().Count() == 1 ? "EI" : seen[0] == seen[1] && seen[2] == seen[3] ? "AD" : "APD";

            // A socket that wrote to one port of one machine: who else gets in?
            var asker = Open();
            var outer = Ask(asker, 0, FirstPort)!.Value;
            var filtering = Reaches(1, FirstPort, outer, asker) ? "EI" : Reaches(0, SecondPort, outer, asker) ? "AD" : "APD";

            var (a, b) = (Open(), Open());
            var (outerA, outerB) = (Ask(a, 0, FirstPort), Ask(b, 0, FirstPort));
            var heard = 0;
            a.Received = b.Received = (_, _) => heard++;
            for (var round = 0; round < 2; round++)
            {
                Send(a, outerB!.Value);
                Send(b, outerA!.Value);
            }

            var steps = seen.Zip(seen.Skip(1), static (from, to) => to!.Value.Port - from!.Value.Port).ToList();
            var port = first.Port == socket.LocalEndpoint.Port ? "kept" : mapping != "EI" && steps.All(static step => step == 1) ? "sequential" : "random";
            var step = mapping == "EI" ? "0" : steps.Distinct().Count() == 1 ? FormattableString.Invariant($"{steps[0]}") : "random";
            return new NatFindings(mapping, filtering, port, step, heard > 0, !first.SameAddress(socket.LocalEndpoint));
        }

        private SimulatedSocket Open() => _world.AddSocket(_inner, _nextPort++);

        private Endpoint? Ask(SimulatedSocket socket, int server, ushort port)
        {
            var there = _servers[(server, port)];
            _seenAt.Remove(there);
            Send(socket, there.LocalEndpoint);
            return _seenAt.TryGetValue(there, out var seen) ? seen : null;
        }

        private bool Reaches(int server, ushort port, Endpoint outer, SimulatedSocket asker)
        {
            var heard = false;
            asker.Received = (_, _) => heard = true;
            Send(_servers[(server, port)], outer);
            return heard;
        }

        private void Send(SimulatedSocket socket, Endpoint to)
        {
            socket.Node.Run(() => socket.Send(to, "who"u8));
            _world.RunFor(TimeSpan.FromMilliseconds(200));
        }
    }
}
