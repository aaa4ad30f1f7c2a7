using System.Runtime.CompilerServices;
using Polder.Ledger;
using Polder.Ledger.Fraud;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Overlay;

namespace Polder.Simulation;

/// <summary>Adding nodes that keep a chain: the overlay, TrustChain and records of help on a disk that survives crashes.</summary>
public static class LedgerNodes
{
    /// <summary>A node with a ledger. Its store is opened anew on the node's disk at every start. <paramref name="beforeLedger"/> offers what the ledger looks for, <paramref name="setUp"/> comes after it.</summary>
    public static SimulatedNode AddLedgerNode(
        this World world, string name, Home? home = null, TrustChainOptions? options = null, OverlayOptions? overlay = null, Action<SimulatedNode, NodeHost>? setUp = null,
        Action<SimulatedNode, NodeHost>? beforeLedger = null) =>
        world.AddNode(name, home, overlay, (node, host) =>
        {
            beforeLedger?.Invoke(node, host);
            var platter = node.Disk.Surface("blocks", () => new MemoryPlatter());
            var start = options ?? new TrustChainOptions();
            if (node.Disk.Surface("restored", () => new StrongBox<bool>()).Value) start = start with { OwnChainUncertain = true };
            var ledger = host.Join(context => new TrustChainCommunity(context, new MemoryBlockStore(platter, node.Disk.CommitAsync), start));
            host.Offer(ledger);
            _ = new ForkerRefusal(host, ledger);
            host.Offer(new HelpRecords(ledger, node.Identity.Public));
            setUp?.Invoke(node, host);
        });

    /// <summary>
    /// The node dies, and starts again from a backup: the first so many records of its disk. It knows that it was restored, as the program
    /// does.
    /// </summary>
    public static void RestoreBackup(this World world, SimulatedNode node, int records)
    {
        world.Crash(node.Name);
        world.Note($"{node.Name} is restored from a backup of {records} records");
        node.Disk.Surface("blocks", () => new MemoryPlatter()).RollBack(records);
        node.Disk.Surface("restored", () => new StrongBox<bool>()).Value = true;
        world.Restart(node.Name);
    }

    extension(SimulatedNode node)
    {
        /// <summary>The ledger of the node's present life; null when it has none.</summary>
        public TrustChainCommunity? Ledger => node.Program is NodeHost host ? host.Find<TrustChainCommunity>() : null;

        /// <summary>The records of help of the node's present life; null when it has none.</summary>
        public HelpRecords? Records => node.Program is NodeHost host ? host.Find<HelpRecords>() : null;
    }
}
