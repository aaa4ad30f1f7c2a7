using System.Diagnostics;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Stock;

namespace Polder.Node.Parcels;

/// <summary>What goes over the stock wire: one file as it is, anything else as one zip that is made while it is sent.</summary>
internal sealed class StockSending
{
    /// <summary>A receiver that unpacks a large folder before it confirms may need this long.</summary>
    private static readonly TimeSpan UnpackMax = TimeSpan.FromMinutes(10);

    private readonly ParcelContents _contents;
    private readonly ParcelEntry? _file;
    private readonly ZipPlan? _zip;
    private readonly string _name;

    public StockSending(ParcelContents contents)
    {
        _contents = contents;
        if (contents.Entries is [{ IsFolder: false } only])
        {
            (_file, _name, Bytes) = (only, contents.Tops[0], only.SizeBytes);
            return;
        }
        // One folder is named after itself and its entries begin inside it; several things get a folder of their own.
        var one = contents.Tops.Count == 1;
        _name = one ? contents.Tops[0] : "parcel";
        _zip = new ZipPlan(contents.Entries, entry => one ? entry.Path.Length > _name.Length ? entry.Path[(_name.Length + 1)..] : null : entry.Path);
        Bytes = _zip.Bytes;
    }

    /// <summary>Bytes that travel.</summary>
    public long Bytes { get; }

    public byte[] Offer() => _file is not null ? StockMessage.OfFile(_name, Bytes) : StockMessage.OfFolder(_name, Bytes, _contents.TotalBytes, _contents.FileCount);

    public async Task<ParcelOutcome> SendAsync(TransitLink link, IParcelProgress human, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        human.Report(new ParcelProgress(ParcelStage.Moving, 0, Bytes, link.Way));
        using var pump = new RecordPump(link, human, Bytes);
        if (_file is not null)
        {
            if (Bytes > 0)
            {
                using var file = Open(_file);
                await pump.AddFileAsync(file, _file.LocalPath, Bytes, null, cancellation).ConfigureAwait(false);
            }
        }
        else await SendZipAsync(pump, cancellation).ConfigureAwait(false);
        var hash = await pump.FinishAsync(cancellation).ConfigureAwait(false);
        human.Report(new ParcelProgress(ParcelStage.Checking, Bytes, Bytes, "waiting for the other side's confirmation"));
        await ConfirmAsync(link, hash, cancellation).ConfigureAwait(false);
        human.Report(new ParcelProgress(ParcelStage.Done, Bytes, Bytes, link.Way));
        return new ParcelOutcome(ParcelResult.Complete, "The other side has everything.") { Bytes = Bytes, Took = Stopwatch.GetElapsedTime(started), Way = link.Way };
    }

    private async Task SendZipAsync(RecordPump pump, CancellationToken cancellation)
    {
        var checksums = new uint[_zip!.Count];
        for (var i = 0; i < _zip.Count; i++)
        {
            var entry = _zip.Entry(i);
            await pump.AddAsync(_zip.Local(i), cancellation).ConfigureAwait(false);
            if (!entry.IsFolder && entry.SizeBytes > 0)
            {
                using var file = Open(entry);
                var index = i;
                await pump.AddFileAsync(file, entry.LocalPath, entry.SizeBytes, piece => checksums[index] = Crc32.Update(checksums[index], piece.Span), cancellation).ConfigureAwait(false);
            }
            await pump.AddAsync(_zip.After(i, checksums[i]), cancellation).ConfigureAwait(false);
        }
        for (var i = 0; i < _zip.Count; i++) await pump.AddAsync(_zip.Central(i, checksums[i]), cancellation).ConfigureAwait(false);
        await pump.AddAsync(_zip.End(), cancellation).ConfigureAwait(false);
    }

    private async Task ConfirmAsync(TransitLink link, string hash, CancellationToken cancellation)
    {
        if (await link.ReceiveAsync(_zip is null ? TransitLink.SilenceMax : UnpackMax, cancellation).ConfigureAwait(false) is not { } record)
            throw new ParcelEndedException(ParcelResult.PeerFailed, "The other side hung up without confirming. It may not have everything.");
        if (JsonText.Parse(record) is not { } ack || JsonText.Of(ack, "ack") != "ok")
            throw new ParcelEndedException(ParcelResult.PeerFailed, $"The other side does not confirm: {(JsonText.Parse(record) is { } said ? JsonText.Show(said) : "no JSON")}");
        if (JsonText.TryGet(ack, "sha256", out var theirs) && JsonText.Of(theirs) != hash)
            throw new ParcelEndedException(ParcelResult.PeerFailed, "The other side received other bytes than were sent. Send it again.");
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Open(ParcelEntry entry)
    {
        try
        {
            var file = File.OpenHandle(entry.LocalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            if (RandomAccess.GetLength(file) == entry.SizeBytes) return file;
            file.Dispose();
            throw new ParcelEndedException(ParcelResult.LocalProblem, $"{entry.LocalPath} changed since it was offered. Send it again.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ParcelEndedException(ParcelResult.LocalProblem, $"{entry.LocalPath} cannot be read: {problem.Message}");
        }
    }
}
