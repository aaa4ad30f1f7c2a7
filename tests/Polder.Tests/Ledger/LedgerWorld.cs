using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Simulation;

namespace Polder.Tests.Ledger;

/// <summary>Nodes with a ledger in a simulated world.</summary>
internal static class LedgerWorld
{
    public static SimulatedNode AddLedger(this World world, string name, TrustChainOptions? options = null)
    {
        var node = world.AddNode(name, setUp: (node, host) =>
        {
            var platter = node.Disk.Surface("blocks", () => new MemoryPlatter());
            var store = new MemoryBlockStore(platter, node.Disk.CommitAsync);
            var ledger = host.Join(context => new TrustChainCommunity(context, store, options));
            host.Offer(new HelpRecords(ledger, node.Identity.Public));
        });
        if (world.Nodes.Count > 1) node.WalkTo(world.Nodes[0]);
        return node;
    }

    public static TrustChainCommunity Ledger(this SimulatedNode node) => node.Get<TrustChainCommunity>();
    public static HelpRecords Records(this SimulatedNode node) => node.Host.Find<HelpRecords>()!;
    public static IBlockStore Store(this SimulatedNode node) => node.Ledger().Store;
    public static PublicKey Key(this SimulatedNode node) => node.Identity.Public;

    /// <summary>Work of which the result is wanted, on the node's loop.</summary>
    public static T Ask<T>(this SimulatedNode node, Func<T> work)
    {
        T result = default!;
        node.Run(() => result = work());
        return result;
    }

    /// <summary>The result of work that has ended; the world's thread never waits.</summary>
    public static T Got<T>(this Task<T> task)
    {
        Assert.True(task.IsCompletedSuccessfully, task.Exception?.ToString() ?? "It has not ended.");
        return task.GetAwaiter().GetResult();
    }

    public static Proposal Pay(this SimulatedNode node, SimulatedNode other, long amount) =>
        node.Ask(() => node.Records().Propose(other.Key(), gave: false, amount, HelpClaim.Bytes, ""));

    /// <summary>Nodes that know each other.</summary>
    public static void Meet(this World world, params SimulatedNode[] nodes)
    {
        foreach (var one in nodes)
            foreach (var other in nodes)
                if (one != other) one.WalkTo(other);
        world.RunUntil(() => nodes.All(one => nodes.All(other => one == other || one.Ledger().Peers.Any(peer => peer.Key == other.Key()))),
            TimeSpan.FromMinutes(2), "the nodes meet");
    }

    public static HalfBlock[] Chain(this SimulatedNode node, PublicKey key) => [.. node.Store().Range(key.Bytes, 1, uint.MaxValue, int.MaxValue)];
}
