using Polder.Ledger.Blocks;
using Polder.Ledger.Records;

namespace Polder.Simulation.Checkers;

/// <summary>
/// What one got is what another gave (I3). Worked out from scratch over everything that honest nodes hold, apart from the code
/// under test: both halves of every agreed record mirror each other, nobody honest agreed to one proposal twice, and the
/// totals written into a chain are the sums over it.
/// </summary>
public sealed class Conservation : Checker
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly HashSet<SimulatedNode> _cheaters = [];
    private TimeSpan _next;

    /// <summary>Records that were agreed at the last look.</summary>
    public int Agreed { get; private set; }

    /// <summary>Everybody is honest but these.</summary>
    public Conservation Except(SimulatedNode cheater)
    {
        _cheaters.Add(cheater);
        return this;
    }

    /// <inheritdoc/>
    public override void Check(World world)
    {
        if (world.Now < _next) return;
        _next = world.Now + Interval;
        Look(world);
    }

    /// <summary>Looks now: for the end of a run.</summary>
    public void CheckNow(World world)
    {
        Look(world);
        world.ThrowIfFailed();
    }

    private void Look(World world)
    {
        var honest = new Dictionary<string, SimulatedNode>(StringComparer.Ordinal);
        foreach (var node in world.Nodes)
            if (!_cheaters.Contains(node)) honest[Convert.ToHexStringLower(node.Identity.Public.Bytes)] = node;
        var blocks = new SortedDictionary<(string Key, uint Sequence), HalfBlock>();
        foreach (var node in honest.Values)
            if (node.IsRunning && node.Ledger is { } ledger)
                foreach (var block in ledger.Store.All()) blocks.TryAdd((Convert.ToHexStringLower(block.PublicKey), block.Sequence), block);

        Int128 balance = 0;
        var agreedTo = new HashSet<(string, string, uint)>();
        var totals = new Dictionary<string, (long Up, long Down, uint Last)>(StringComparer.Ordinal);
        Agreed = 0;
        foreach (var (place, block) in blocks)
        {
            if (!honest.TryGetValue(place.Key, out var owner)) continue;
            var linked = (Convert.ToHexStringLower(block.LinkKey), block.LinkSequence);
            if (!HelpClaim.TryRead(block, out var claim)) continue;
            if (!block.IsProposal && honest.ContainsKey(linked.Item1))
            {
                if (!agreedTo.Add((place.Key, linked.Item1, linked.LinkSequence))) world.Fail($"{owner.Name} agreed twice to one proposal");
                if (!blocks.TryGetValue(linked, out var proposal))
                {
                    // While both who signed are down, a third may know one half only.
                    if (owner.IsRunning) world.Fail($"{owner.Name} agreed to a proposal that nobody has");
                }
                else if (!HelpClaim.TryRead(proposal, out var asked)) world.Fail($"{owner.Name} agreed to a proposal that cannot be read");
                else if (!claim.Mirrors(asked)) world.Fail($"{owner.Name} agreed to something else than was proposed");
                else
                {
                    balance += (Int128)claim.Gave - claim.Got + asked.Gave - asked.Got;
                    Agreed++;
                }
            }
            if (BandwidthEntry.Read(block) is not { } entry) continue;
            var (up, down, last) = totals.GetValueOrDefault(place.Key);
            // Blocks of others that did not arrive yet leave gaps, across which the sums cannot be followed.
            var whole = owner.Ledger is { } ledger && owner.IsRunning && ledger.Own.Length >= block.Sequence;
            if (whole && (entry.TotalUp != up + entry.Up || entry.TotalDown != down + entry.Down))
                world.Fail($"the totals in {owner.Name}'s block {block.Sequence} are not the sums over its chain (after block {last})");
            totals[place.Key] = (entry.TotalUp, entry.TotalDown, block.Sequence);
        }
        if (balance != 0) world.Fail($"the sum over all agreed records is {balance}");
    }
}
