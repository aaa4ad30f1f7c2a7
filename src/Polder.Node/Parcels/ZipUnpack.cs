using System.Buffers.Binary;
using System.IO.Compression;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Stock;

namespace Polder.Node.Parcels;

/// <summary>
/// Unpacks a folder that came as a zip into a fresh folder beside its place: files and folders only, nothing outside, no more bytes and
/// files than were offered. The folder gets its name when everything is there, and is deleted when not.
/// </summary>
internal sealed class ZipUnpack(ParcelOffer offer, IParcelReceiverHuman human)
{
    private readonly ZipEntryRules _rules = new(offer.FileCount ?? 0, ZipEntryRules.Allowance(offer.UnpackedBytes ?? 0));

    /// <summary>The path of the folder.</summary>
    public async Task<string> RunAsync(PartFile zip, string folder, CancellationToken cancellation)
    {
        var free = FreeSpace.At(folder);
        if (offer.UnpackedBytes > free / 2 && !await human.IsHugeWelcomeAsync(offer.UnpackedBytes ?? 0, free, cancellation).ConfigureAwait(false))
            throw new ParcelEndedException(ParcelResult.Refused, "You refused to unpack it. Nothing was written.");
        var fresh = PartFile.PathFor(folder, offer.Name);
        try
        {
            Directory.CreateDirectory(fresh);
            await using var bytes = zip.Read();
            CheckCount(bytes);
            using var archive = new ZipArchive(bytes, ZipArchiveMode.Read);
            var modes = new List<(string Path, UnixFileMode Mode)>();
            foreach (var entry in archive.Entries)
            {
                cancellation.ThrowIfCancellationRequested();
                Unpack(entry, fresh, modes);
            }
            // Folders last and from the innermost: one that may not be written to still gets its contents.
            if (!OperatingSystem.IsWindows())
                for (var i = modes.Count - 1; i >= 0; i--) File.SetUnixFileMode(modes[i].Path, modes[i].Mode);
            return PartFile.Settle(folder, offer.Name, free => Directory.Move(fresh, free));
        }
        catch (Exception problem) when (problem is InvalidDataException or NotSupportedException or EndOfStreamException or ArgumentException or OverflowException)
        {
            throw Refused("it is broken");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { throw PartFile.Problem(fresh, problem); }
        finally
        {
            if (Directory.Exists(fresh)) Delete(fresh);
        }
    }

    private void Unpack(ZipArchiveEntry entry, string fresh, List<(string Path, UnixFileMode Mode)> modes)
    {
        if (_rules.Judge(entry.FullName, entry.ExternalAttributes, out var isFolder, out var mode, out var problem) is not { } parts) throw Refused(problem);
        var path = Path.Combine([fresh, .. parts]);
        if (isFolder)
        {
            Directory.CreateDirectory(path);
            modes.Add((path, mode));
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var from = entry.Open();
        using var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
        var buffer = new byte[256 << 10];
        while (from.Read(buffer) is var count and > 0)
        {
            if (!_rules.Count(count)) throw Refused($"it unpacks to more than the {offer.UnpackedBytes} bytes that were offered");
            to.Write(buffer.AsSpan(0, count));
        }
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(to.SafeFileHandle, mode);
    }

    /// <summary>The number of entries, before the archive makes an object of each.</summary>
    private void CheckCount(FileStream bytes)
    {
        var tail = new byte[(int)Math.Min(bytes.Length, 22 + ushort.MaxValue)];
        bytes.Seek(-tail.Length, SeekOrigin.End);
        bytes.ReadExactly(tail);
        bytes.Seek(0, SeekOrigin.Begin);
        var end = tail.AsSpan().LastIndexOf("PK\x05\x06"u8);
        if (end < 0 || end + 22 > tail.Length) throw Refused("it is no zip");
        // A directory of 46 bytes an entry at least: its size bounds the count whatever the count says.
        long central = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 12));
        if (central == uint.MaxValue && end >= 76 && tail.AsSpan(end - 20, 4).SequenceEqual("PK\x06\x07"u8)) central = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(end - 36));
        if (central < 0 || central / 46 > (long)(offer.FileCount ?? 0) * 12 + ZipEntryRules.FoldersMax) throw Refused("it holds more files than were offered");
    }

    private static ParcelEndedException Refused(string why) =>
        new(ParcelResult.PeerFailed, $"The folder was refused: {why}. Nothing of it was kept.");

    private static void Delete(string folder)
    {
        try { Directory.Delete(folder, recursive: true); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }
}
