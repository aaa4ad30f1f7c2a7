using Polder.Ledger.Stores;

namespace Polder.Node.Dumps;

/// <summary>What an export wrote.</summary>
/// <param name="Blocks">Blocks.</param>
/// <param name="Frauds">Proofs of fraud.</param>
/// <param name="Bytes">Of the dump.</param>
public sealed record ExportReport(long Blocks, int Frauds, long Bytes);

/// <summary>Writes everything that a store holds of the ledger: proofs first, because they decide what is thought of blocks, then blocks in the order they came.</summary>
public static class LedgerExport
{
    /// <summary>Writes the dump; holds a page of blocks in memory.</summary>
    /// <param name="store">The store; may be in use.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="format">In which form.</param>
    /// <param name="whole">Whether the blocks themselves are in it.</param>
    /// <param name="progress">Told how many blocks are written.</param>
    /// <param name="cancellation">Ends it with an <see cref="OperationCanceledException"/>.</param>
    public static ExportReport Run(IBlockStore store, Stream stream, DumpFormat format, bool whole = true, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        using var writer = new DumpWriter(stream, format, whole);
        var frauds = store.Frauds();
        foreach (var fraud in frauds) writer.Write(fraud);
        var blocks = 0L;
        foreach (var (_, block) in store.AllAfter(0))
        {
            writer.Write(block);
            if ((++blocks & 0xFFF) != 0) continue;
            progress?.Report(blocks);
            cancellation.ThrowIfCancellationRequested();
        }
        writer.Finish();
        return new ExportReport(blocks, frauds.Count, writer.Bytes);
    }
}
