using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Stock;

namespace Polder.Node.Parcels;

/// <summary>What comes over the stock wire: written beside its place, checked, and only then given its name; never over something that is there.</summary>
internal sealed class StockReceiving(ParcelOffer offer, IParcelReceiverHuman human)
{
    public ParcelOffer Offer => offer;

    /// <summary>Why it does not fit on the disk of this folder; null when it does.</summary>
    public string? WhyNoRoom(string folder)
    {
        var free = FreeSpace.At(folder);
        return offer.SizeBytes > free
            ? string.Create(CultureInfo.InvariantCulture, $"The offer has {offer.SizeBytes:N0} bytes, and {folder} has room for {free:N0}. It was refused; make room, or name another folder with --out.") : null;
    }

    public async Task<ParcelOutcome> ReceiveAsync(TransitLink link, string folder, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        using var part = PartFile.Create(folder, offer.Name);
        var hash = await ReceiveBytesAsync(link, part, cancellation).ConfigureAwait(false);
        string written;
        if (offer.Kind == ParcelKind.Folder)
        {
            human.Report(new ParcelProgress(ParcelStage.Checking, offer.SizeBytes, offer.SizeBytes, "unpacking"));
            written = await new ZipUnpack(offer, human).RunAsync(part, folder, cancellation).ConfigureAwait(false);
        }
        else written = part.Keep(folder, offer.Name);
        await link.SendAsync(StockMessage.Ack(hash), cancellation).ConfigureAwait(false);
        human.Report(new ParcelProgress(ParcelStage.Done, offer.SizeBytes, offer.SizeBytes, link.Way));
        return new ParcelOutcome(ParcelResult.Complete, "Everything came and was checked.")
        {
            Bytes = offer.SizeBytes, Took = Stopwatch.GetElapsedTime(started), Way = link.Way, Paths = [written],
        };
    }

    private async Task<string> ReceiveBytesAsync(TransitLink link, PartFile part, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long done = 0;
        human.Report(new ParcelProgress(ParcelStage.Moving, 0, offer.SizeBytes, link.Way));
        while (done < offer.SizeBytes)
        {
            if (await link.ReceiveAsync(cancellation).ConfigureAwait(false) is not { } piece)
                throw new ParcelEndedException(ParcelResult.LineBroken, string.Create(CultureInfo.InvariantCulture, $"The other side hung up after {done:N0} of {offer.SizeBytes:N0} bytes. What had come was deleted."));
            if (done + piece.Length > offer.SizeBytes)
                throw new ParcelEndedException(ParcelResult.PeerFailed, "The other side sent more bytes than it had offered. What had come was deleted.");
            hash.AppendData(piece.Span);
            part.Write(piece.Span, done);
            done += piece.Length;
            human.Report(new ParcelProgress(ParcelStage.Moving, done, offer.SizeBytes, link.Way));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
