namespace Polder.Benchmarks;

/// <summary>The catalogue behind <c>polder bench</c>.</summary>
public static class Figures
{
    /// <summary>Every measurement, in the order in which they run.</summary>
    public static IReadOnlyList<Measurement> All { get; } =
    [
        new("signatures", "raw Ed25519 on one core", SignatureFigures.RunAsync),
        new("introductions", "introduction-requests verified and answered over 127.0.0.1", IntroductionFigures.RunAsync),
        new("flood", "known peers served while strangers send 50,000 junk packets a second", FloodFigures.RunAsync),
        new("blocks", "blocks validated and durably stored", BlockFigures.RunAsync),
        new("ledger", "a store of the published shape: loading, opening, asking", LedgerFigures.RunAsync),
        new("ledger-trust", "trust from a graph of the published shape: making it, everybody's standing, one record more", ReputationFigures.RunAsync),
        new("ledger-fork", "a forked chain proven and known in a simulated network, beside what was published", ForkFigures.RunAsync),
        new("pairs", "records signed by two nodes over 127.0.0.1", PairFigures.RunAsync),
        new("sessions", "handshakes on one core, packets through one session over 127.0.0.1", SessionFigures.RunAsync),
        new("dht", "finding values in our DHT: 50 nodes on this machine, and a large simulated network", DhtFigures.RunAsync),
        new("neighbours", "one node with many live neighbours: messages, processor, memory, a ping beside it, an idle hour", NeighbourFigures.RunAsync),
        new("program", "start to first page, and memory at rest", ProgramFigures.RunAsync),
        new("transfer", "one stream over 127.0.0.1, and over a simulated line", TransferFigures.RunAsync),
        new("people", "what people do first: a file sent on both wires beside magic-wormhole, chat round trip, a long conversation, many live friends", PeopleFigures.RunAsync),
        new("graph", "our node as a gun peer beside the relay of the package gun: acknowledged puts, latency, memory, what is relayed", Graph.GraphFigures.RunAsync),
        new("simulator", "500 nodes for 10 virtual minutes", SimulatorFigures.RunAsync),
    ];
}
