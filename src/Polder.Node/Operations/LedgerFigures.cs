using Polder.Identity;
using Polder.Ledger.Stores;

namespace Polder.Node.Operations;

/// <summary>Figures of a store and searches in it: the same for a running node and a folder at rest.</summary>
internal sealed class LedgerFigures(IBlockStore store, LedgerViews views, NameIndex names)
{
    private const int FoundMax = 20;
    private const int HashDigitsMin = 4;

    public LedgerStatsView Stats(string kind, long? diskMax, long blocksMax)
    {
        var totals = store.Totals();
        return new LedgerStatsView(kind, store.Count, totals.Chains, totals.Peers, totals.Records, store.Frauds().Count, store.DiskBytes, diskMax, blocksMax,
            [.. store.Days().Select(static day => new DayView(day.Day?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), day.Blocks, day.Users, day.Newcomers))]);
    }

    public LedgerSearchView Search(string text, IEnumerable<PublicKey> others)
    {
        var wanted = text.Trim().ToLowerInvariant();
        if (wanted.Length == 0) throw new OperationRefusedException(RefusalKind.BadInput, "Say what to search: a short name, a public key, a hash, or the beginning of one.");
        var peers = new SortedSet<PublicKey>(names.Find(wanted, FoundMax + 1));
        foreach (var other in others)
            if (other.ShortName.StartsWith(wanted, StringComparison.Ordinal) || other.ToString().StartsWith(wanted, StringComparison.Ordinal)) peers.Add(other);
        var blocks = new List<BlockView>();
        if (wanted.Length >= HashDigitsMin && wanted.Length <= 64 && wanted.All(char.IsAsciiHexDigit))
        {
            // Half a byte more than what can be looked up by bytes is compared here.
            foreach (var block in store.FindByHash(Convert.FromHexString(wanted[..(wanted.Length & ~1)]), 4 * FoundMax))
                if (blocks.Count <= FoundMax && block.Hash.ToString().StartsWith(wanted, StringComparison.Ordinal)) blocks.Add(views.View(block));
        }
        var chains = peers.Select(peer => new ChainLine(peer.ToString(), peer.ShortName, store.CountOf(peer.Bytes), store.Latest(peer.Bytes)?.Sequence ?? 0))
            .OrderByDescending(static chain => chain.Blocks).ToList();
        return new LedgerSearchView(text.Trim(), [.. chains.Take(FoundMax)], [.. blocks.Take(FoundMax)], chains.Count > FoundMax || blocks.Count > FoundMax);
    }
}
