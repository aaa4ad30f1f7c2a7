using System.Globalization;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Overlay;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>Nodes that keep chains, their owners who propose and answer records of help, and everything that must hold among them.</summary>
public sealed class LedgerSociety
{
    private readonly World _world;
    private readonly List<SimulatedNode> _honest = [];
    private readonly OwnChains _chains = new();
    private readonly NothingLost _lost = new();
    private readonly NoHonestConvicted _convicted = new();
    private readonly Conservation _conservation = new();
    private readonly NoAmplification _amplification = new();
    private bool _resting;

    /// <summary>A society in this world, with all its checkers on.</summary>
    public LedgerSociety(World world)
    {
        ArgumentNullException.ThrowIfNull(world);
        _world = world;
        foreach (var checker in new Checker[] { _chains, _lost, _convicted, _conservation, _amplification, new TableCaps() }) world.Always(checker);
    }

    /// <summary>Those who keep the rules, in order of coming.</summary>
    public IReadOnlyList<SimulatedNode> Honest => _honest;

    /// <summary>Records that were proposed and answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Proposals of records.</summary>
    public int Proposed { get; private set; }

    /// <summary>Times that a node refused, with words, to sign.</summary>
    public int SigningsRefused { get; private set; }

    /// <summary>Blocks acknowledged to owners.</summary>
    public int Acknowledged => _lost.Count;

    /// <summary>Somebody honest, told of the one who came first. Everybody crawls everything, so that all can come to know the same.</summary>
    public SimulatedNode Add(string name, Home? home = null, TrustChainOptions? options = null)
    {
        var node = _world.AddLedgerNode(name, home, options ?? new TrustChainOptions { CrawlEverything = true, CrawlInterval = TimeSpan.FromSeconds(20) },
            setUp: (node, host) =>
            {
                _chains.Watch(node, host.Find<TrustChainCommunity>()!);
                // Whom it knew, as from the cache of peers.
                foreach (var other in _honest)
                    if (other != node) host.WalkTo(other.PublicEndpoint);
            });
        _honest.Add(node);
        return node;
    }

    /// <summary>Somebody who does not keep the rules and is exempt from what checkers ask of the honest.</summary>
    public SimulatedNode AddCheater(string name, Func<SimulatedNode, CommunityContext, Community> make)
    {
        var node = _world.AddNode(name, setUp: (node, host) => host.Join(context => make(node, context)));
        _convicted.Except(node);
        _conservation.Except(node);
        _amplification.Exempt(node);
        node.WalkTo(_honest[0]);
        return node;
    }

    /// <summary>The owner of one proposes a record with another. A payer proposes, as for bandwidth, so that the other agrees by itself; other units wait for its owner.</summary>
    public void Propose(SimulatedNode from, SimulatedNode with, long amount, string unit = HelpClaim.Bytes) => Act(from, () =>
    {
        if (from.Records is not { } records) return;
        var proposal = records.Propose(with.Identity.Public, gave: false, amount, unit, "a favour");
        Proposed++;
        _ = WatchAsync(from, proposal);
    });

    /// <summary>From now on owners propose records of chance to each other, one about every <paramref name="mean"/>, and look into their inboxes.</summary>
    public void Work(Polder.Runtime.Prng chance, TimeSpan mean)
    {
        Next();
        _world.Every(TimeSpan.FromSeconds(5), () =>
        {
            foreach (var node in _honest) LookIntoInbox(node, chance);
        });

        void Next() => _world.At(_world.Now + mean * (0.2 + 1.6 * chance.NextDouble()), () =>
        {
            if (_resting) return;
            var (from, with) = (chance.Pick(_honest), chance.Pick(_honest));
            if (from != with) Propose(from, with, (1L << 20) + chance.Next(1 << 20), chance.Chance(0.7) ? HelpClaim.Bytes : "hours");
            Next();
        });
    }

    /// <summary>No more proposals; what is open is still answered.</summary>
    public void Rest() => _resting = true;

    /// <summary>Faults at the disks: about every <paramref name="mean"/>, the next write of somebody goes wrong, and it starts again after a while.</summary>
    public void TroubleDisks(Polder.Runtime.Prng chance, TimeSpan mean, Func<bool> isOver)
    {
        Next();
        void Next() => _world.At(_world.Now + mean * (0.2 + 1.6 * chance.NextDouble()), () =>
        {
            if (isOver()) return;
            var node = chance.Pick(_honest);
            node.Disk.Latency = chance.Chance(0.5) ? TimeSpan.Zero : chance.NextDuration(30.Milliseconds);
            node.Disk.FaultAt(node.Disk.Writes + 1, chance.Pick(Enum.GetValues<DiskFault>()));
            // Whoever lost its disk signs nothing until it is started again; its owner does that.
            _world.At(_world.Now + TimeSpan.FromSeconds(chance.Next(1, 30)), () => { if (!isOver()) _world.Restart(node.Name); });
            Next();
        });
    }

    /// <summary>Everybody starts again on a good disk: the end of the faults.</summary>
    public void Mend()
    {
        foreach (var node in _honest)
        {
            node.Disk.Clear();
            if (!node.IsRunning || node.Ledger?.Own.Refused is not null) _world.Restart(node.Name);
        }
    }

    /// <summary>Somebody loses the disk and restores an old backup: what was acknowledged since must come back from others.</summary>
    public void Restore(SimulatedNode node, int records)
    {
        _lost.Forgive(node);
        _world.RestoreBackup(node, records);
    }

    /// <summary>Whether everybody honest holds the whole chain of everybody honest.</summary>
    public bool Agrees() => Missing() is null;

    /// <summary>What somebody misses, in words; null when nobody misses anything.</summary>
    public string? Missing()
    {
        foreach (var owner in _honest)
        {
            if (owner.Ledger is not { } own) return $"{owner.Name} is down";
            if (own.Own.FlushedTo != own.Own.Length) return $"{owner.Name} has {own.Own.Length} blocks of its own and flushed {own.Own.FlushedTo}; {own.Own.Refused}";
            foreach (var holder in _honest)
                if (holder.Ledger is not { } ledger || ledger.Store.CountOf(own.Own.Key) != own.Own.Length)
                    return $"{holder.Name} holds {holder.Ledger?.Store.CountOf(own.Own.Key)} of {owner.Name}'s {own.Own.Length} blocks; "
                        + $"it has {holder.Host.Peers.Count} peers, {holder.Ledger?.Peers.Count} of them in the ledger, {owner.Name} {(holder.Host.Peers.Find(owner.Identity.Public) is null ? "not " : "")}among them";
        }
        return null;
    }

    /// <summary>
    /// The last look at everything: nothing lost, sums zero, and whoever holds the same blocks works out the same balances (I4).
    /// (Strangers' blocks may be held by some only: nobody has to crawl strangers.)
    /// </summary>
    public void CheckAtEnd()
    {
        _world.CheckAll();
        _lost.CheckNow(_world);
        _conservation.CheckNow(_world);
        var first = new Dictionary<(long, ulong), SimulatedNode>();
        foreach (var node in _honest)
        {
            var blocks = BlocksOf(node);
            if (first.TryAdd(blocks, node)) continue;
            var (here, there) = (Balances(node), Balances(first[blocks]));
            if (here != there) _world.Fail($"{node.Name} works out other balances than {first[blocks].Name} from the same blocks:\n{here}\n{there}");
        }
        _world.ThrowIfFailed();
    }

    /// <summary>Records that are agreed, as the checker counts them.</summary>
    public int Agreed => _conservation.Agreed;

    /// <summary>How many blocks, and all their hashes in one.</summary>
    private static (long Count, ulong Hashes) BlocksOf(SimulatedNode node)
    {
        ulong hashes = 0;
        var store = node.Ledger!.Store;
        foreach (var block in store.All()) hashes ^= block.Hash.Head;
        return (store.Count, hashes);
    }

    private string Balances(SimulatedNode node)
    {
        var lines = new List<string>();
        var graphs = node.Records!.Graphs;
        foreach (var unit in graphs.Units)
            foreach (var other in _honest)
            {
                var (gave, got, records, unconfirmed) = graphs.Find(unit)!.SumsOf(other.Identity.Public);
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{unit} {other.Name} gave {gave} got {got} in {records} records, {unconfirmed} unconfirmed"));
            }
        return string.Join('\n', lines);
    }

    private async Task WatchAsync(SimulatedNode node, Proposal proposal)
    {
        if (!await proposal.Sent) return;
        _lost.Acknowledged(node, proposal.Block);
        try
        {
            var answer = await proposal.Answer;
            _lost.Acknowledged(node, answer);
            Answered++;
        }
        catch (OperationCanceledException) { /* Nobody answered often enough. */ }
    }

    private void LookIntoInbox(SimulatedNode node, Polder.Runtime.Prng chance) => Act(node, () =>
    {
        if (node.Ledger is not { } ledger) return;
        foreach (var waiting in ledger.Waiting)
        {
            if (chance.Chance(0.8)) _ = AgreeAsync(waiting);
            else if (chance.Chance(0.3)) _ = RefuseAsync(waiting);
        }

        async Task AgreeAsync(HalfBlock waiting)
        {
            try { _lost.Acknowledged(node, await ledger.AgreeAsync(waiting)); }
            catch (SigningRefusedException) { SigningsRefused++; }
            catch (IOException) { SigningsRefused++; }
        }

        async Task RefuseAsync(HalfBlock waiting)
        {
            // The disk said no: the owner is told, and asks again.
            try { await ledger.RefuseAsync(waiting); }
            catch (IOException) { SigningsRefused++; }
        }
    });

    private void Act(SimulatedNode node, Action work)
    {
        if (!node.IsRunning) return;
        node.Run(() =>
        {
            try { work(); }
            catch (SigningRefusedException) { SigningsRefused++; }
        });
    }
}
