using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Node.Folders;
using Polder.Node.Storage;

namespace Polder.Node.Backups;

/// <summary>What a backup or a restore did.</summary>
/// <param name="Owner">Whose node it is.</param>
/// <param name="Blocks">Blocks of everybody.</param>
/// <param name="BlocksOwn">Length of the own chain.</param>
/// <param name="Frauds">Proofs of fraud.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="KeyIsSealed">Whether the key in it opens with a passphrase only.</param>
/// <param name="MadeAt">When the backup was made.</param>
/// <param name="Advice">What the owner should know, in words.</param>
public sealed record BackupReport(
    PublicKey Owner, long Blocks, long BlocksOwn, int Frauds, long Bytes, bool KeyIsSealed, DateTimeOffset MadeAt, IReadOnlyList<string> Advice);

/// <summary>
/// A node in one file: key, chain, everybody's blocks, frauds and refusals. Made beside a running node or without one. A node
/// that was restored signs nothing until its peers have shown whether its chain went on after the backup.
/// </summary>
public static class Backup
{
    private const int ProgressBlocks = 1000;

    /// <summary>Writes a backup of the node in a data folder; an existing file is replaced when all is written.</summary>
    /// <param name="data">The node's folder.</param>
    /// <param name="file">Where to.</param>
    /// <param name="passphrase">Seals the key in the backup. A key file that is sealed already is taken as it is.</param>
    /// <param name="progress">Told how many blocks are written.</param>
    /// <param name="cancellation">Stops it; nothing is left behind.</param>
    /// <exception cref="NodeStartException">There is no node, or the file cannot be written.</exception>
    public static Task<BackupReport> WriteAsync(
        string data, string file, string? passphrase = null, IProgress<long>? progress = null, CancellationToken cancellation = default) =>
        Task.Run(() => Write(data, file, passphrase, progress, cancellation), cancellation);

    /// <summary>Puts a backup into an empty data folder.</summary>
    /// <param name="file">The backup.</param>
    /// <param name="data">An empty folder, or one that does not exist.</param>
    /// <param name="passphrase">Opens a sealed key, to find out at once whether it is remembered; null leaves it sealed and untried.</param>
    /// <param name="progress">Told how many blocks are read.</param>
    /// <param name="cancellation">Stops it; the folder stays without a node.</param>
    /// <exception cref="NodeStartException">The backup is damaged, or the folder is in use.</exception>
    public static Task<BackupReport> RestoreAsync(
        string file, string data, string? passphrase = null, IProgress<long>? progress = null, CancellationToken cancellation = default) =>
        Task.Run(() => Restore(file, data, passphrase, progress, cancellation), cancellation);

    private static BackupReport Write(string data, string file, string? passphrase, IProgress<long>? progress, CancellationToken cancellation)
    {
        var folder = DataFolder.Look(data) ?? throw new NodeStartException($"There is no node in {Path.GetFullPath(data)}. Name its folder: --data DIR.");
        var temporary = file + ".new";
        try
        {
            var report = WriteTo(folder, temporary, passphrase, progress, cancellation);
            File.Move(temporary, file, overwrite: true);
            DurableFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
            return report;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"The backup cannot be written to {file}: {problem.Message}", problem);
        }
        finally { File.Delete(temporary); }
    }

    private static BackupReport WriteTo(DataFolder folder, string file, string? passphrase, IProgress<long>? progress, CancellationToken cancellation)
    {
        var madeAt = TimeProvider.System.GetUtcNow();
        var key = KeyBytesFor(folder, passphrase, out var isSealed, out var owner);
        using var database = File.Exists(folder.DatabasePath) ? SqliteBlockStore.OpenReadOnly(folder.DatabasePath) : null;
        IBlockStore store = database is null ? new MemoryBlockStore() : database;
        owner ??= database?.Owner ?? throw new NodeStartException($"The key {folder.KeyPath} is sealed and has not been used yet. Start the node once, then back it up.");

        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 1 << 16 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = DurableFile.OwnerOnly;
        using var stream = new FileStream(file, options);
        using var writer = new BackupWriter(stream);
        Span<byte> about = stackalloc byte[KeyFormat.Bytes + 8];
        owner.Bytes.CopyTo(about);
        BinaryPrimitives.WriteInt64BigEndian(about[KeyFormat.Bytes..], madeAt.ToUnixTimeMilliseconds());
        writer.Write(BackupSection.Owner, about);
        writer.Write(BackupSection.Key, key);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
        var (blocks, ownLength) = (0L, 0L);
        foreach (var block in store.All())
        {
            cancellation.ThrowIfCancellationRequested();
            writer.Write(BackupSection.Block, block.Packed.Span);
            if (block.PublicKey.SequenceEqual(owner.Bytes)) ownLength = Math.Max(ownLength, block.Sequence);
            if (++blocks % ProgressBlocks == 0) progress?.Report(blocks);
        }
        var frauds = store.Frauds();
        foreach (var fraud in frauds)
        {
            var content = new byte[5 + fraud.First.Packed.Length + fraud.Second.Packed.Length];
            content[0] = (byte)fraud.Kind;
            BinaryPrimitives.WriteInt32BigEndian(content.AsSpan(1), fraud.First.Packed.Length);
            fraud.First.Packed.Span.CopyTo(content.AsSpan(5));
            fraud.Second.Packed.Span.CopyTo(content.AsSpan(5 + fraud.First.Packed.Length));
            writer.Write(BackupSection.Fraud, content);
        }
        foreach (var refusal in database?.Refusals ?? []) writer.Write(BackupSection.Refusal, refusal.ToArray());
        writer.End();
        stream.Flush(flushToDisk: true);
        progress?.Report(blocks);
        string[] advice = isSealed
            ? ["The key in this file opens with its passphrase only. Without the passphrase the backup is of no use."]
            : ["This file holds your private key in the open: whoever reads it can sign in your name. Keep it where nobody else can read it, or make it with a passphrase."];
        return new BackupReport(owner, blocks, ownLength, frauds.Count, stream.Length, isSealed, madeAt, advice);
    }

    private static byte[] KeyBytesFor(DataFolder folder, string? passphrase, out bool isSealed, out PublicKey? owner)
    {
        owner = null;
        if (KeyFile.IsSealed(folder.KeyPath))
        {
            isSealed = true;
            return File.ReadAllBytes(folder.KeyPath);
        }
        using var pair = KeyFile.Read(folder.KeyPath);
        owner = pair.Public;
        isSealed = !string.IsNullOrEmpty(passphrase);
        return KeyFile.Encode(pair, passphrase);
    }

    private static BackupReport Restore(string file, string data, string? passphrase, IProgress<long>? progress, CancellationToken cancellation)
    {
        try
        {
            // The digest first: nothing is written of a file that is damaged.
            Check(file);
            using var folder = DataFolder.Open(data);
            if (File.Exists(folder.KeyPath) || File.Exists(folder.DatabasePath))
                throw new NodeStartException($"{folder.FullPath} holds a node already. Restore into an empty folder: --data DIR.");
            return RestoreInto(folder, file, passphrase, progress, cancellation);
        }
        catch (InvalidDataException problem) { throw new NodeStartException($"{file} cannot be restored: {problem.Message}.", problem); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"{file} cannot be restored: {problem.Message}", problem);
        }
    }

    private static void Check(string file)
    {
        using var stream = File.OpenRead(file);
        using var reader = new BackupReader(stream);
        while (reader.Next() is not null) { }
    }

    private static BackupReport RestoreInto(DataFolder folder, string file, string? passphrase, IProgress<long>? progress, CancellationToken cancellation)
    {
        // The database is made under another name and the key is written last: until then there is no node in the folder.
        var unfinished = folder.DatabasePath + ".restoring";
        foreach (var suffix in (string[])["", "-wal", "-shm"]) File.Delete(unfinished + suffix);
        using var stream = File.OpenRead(file);
        using var reader = new BackupReader(stream);
        if (reader.Next() is not (BackupSection.Owner, { Length: KeyFormat.Bytes + 8 } about) || !PublicKey.TryParse(about.Span[..KeyFormat.Bytes], out var owner))
            throw new InvalidDataException("it does not say whose it is");
        var madeAt = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(about.Span[KeyFormat.Bytes..]));
        byte[]? key = null;
        var (blocks, ownLength, frauds) = (0L, 0L, 0);
        using (var store = SqliteBlockStore.Open(unfinished, owner.Bytes, madeAt))
        {
            store.RefuseSigning(
                $"This node was restored from a backup of {madeAt.UtcDateTime:yyyy-MM-dd HH:mm}. Nothing is signed until your chain was compared with what your peers hold.");
            while (reader.Next() is var (kind, content))
            {
                cancellation.ThrowIfCancellationRequested();
                switch (kind)
                {
                    case BackupSection.Key:
                        key = content.ToArray();
                        CheckKey(key, owner, passphrase, file);
                        break;
                    case BackupSection.Block when HalfBlock.TryUnpack(content.Span, out var block):
                        store.Add(block);
                        if (block.PublicKey.SequenceEqual(owner.Bytes)) ownLength = Math.Max(ownLength, block.Sequence);
                        if (++blocks % ProgressBlocks == 0) progress?.Report(blocks);
                        break;
                    case BackupSection.Fraud when ReadFraud(content.Span) is { } fraud:
                        store.AddFraud(fraud);
                        frauds++;
                        break;
                    case BackupSection.Refusal when content.Length == Hash256.Bytes:
                        store.AddRefusal(new Hash256(content.Span));
                        break;
                    // Kinds of later versions are passed over.
                    default:
                        break;
                }
            }
            store.FlushAsync().GetAwaiter().GetResult();
        }
        if (key is null) throw new InvalidDataException("it holds no key");
        // Closing the last connection has put the log into the file.
        File.Move(unfinished, folder.DatabasePath);
        DurableFile.Write(folder.KeyPath, key);
        new ChainMark(folder.ChainMarkPath).Raise((uint)ownLength);
        progress?.Report(blocks);
        var isSealed = !KeyPair.TryImport(key, out var plain);
        plain?.Dispose();
        return new BackupReport(owner, blocks, ownLength, frauds, stream.Length, isSealed, madeAt,
            ["Do not run this key in two places: two nodes that sign with one key prove each other frauds.",
             "Nothing is signed until one of your peers has shown how far your chain went after this backup."]);
    }

    private static void CheckKey(byte[] content, PublicKey owner, string? passphrase, string file)
    {
        if (!KeyPair.TryImport(content, out var pair))
        {
            if (string.IsNullOrEmpty(passphrase)) return;
            pair = KeyFile.Decode(content, passphrase, file);
        }
        using (pair)
            if (pair.Public != owner) throw new InvalidDataException("its key and its chain belong to different nodes");
    }

    private static FraudProof? ReadFraud(ReadOnlySpan<byte> content)
    {
        if (content.Length < 5) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(content[1..]);
        return length >= 0 && length <= content.Length - 5
            && HalfBlock.TryUnpack(content.Slice(5, length), out var first) && HalfBlock.TryUnpack(content[(5 + length)..], out var second)
            ? new FraudProof((FraudKind)content[0], first, second) : null;
    }
}
