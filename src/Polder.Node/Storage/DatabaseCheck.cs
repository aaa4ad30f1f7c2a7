using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>What is done about a damaged database: found out, set aside, read as far as it goes.</summary>
internal static class DatabaseCheck
{
    private const string MarkSuffix = ".damaged";
    /// <summary>A larger file is not read through at the start; readers notice damage by the blocks' hashes, and polder ledger verify looks for it.</summary>
    private const long CheckedBytesMax = 256L << 20;

    /// <summary>Damage that only a reader notices is remembered for the next start.</summary>
    public static void MarkDamaged(string path)
    {
        try { File.WriteAllText(path + MarkSuffix, "A block in the database is not what was written. The next start sets the database aside.\n"); }
        catch (IOException) { }
        catch (UnauthorizedAccessException) { }
    }

    /// <summary>Whether SQLite finds the file damaged, or it is no database at all. A file that cannot be opened is not damaged.</summary>
    public static bool IsDamaged(string path)
    {
        if (new FileInfo(path).Length == 0) return false;
        if (File.Exists(path + MarkSuffix)) return true;
        try
        {
            using var database = Database.Open(path);
            if (new FileInfo(path).Length <= CheckedBytesMax) return database.Text("PRAGMA quick_check(1)") != "ok";
            _ = database.Number("SELECT count(*) FROM sqlite_master");
            return false;
        }
        catch (StorageException problem) { return problem.IsDamage; }
    }

    /// <summary>Gives the file and its log another name, which says when; answers that name.</summary>
    public static string SetAside(string path, DateTimeOffset now)
    {
        var stamp = now.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var aside = $"{path}.damaged-{stamp}";
        for (var i = 2; File.Exists(aside); i++) aside = $"{path}.damaged-{stamp}-{i}";
        File.Move(path, aside);
        // The log belongs to the file: left behind, it would be taken for the new one's.
        foreach (var suffix in (string[])["-wal", "-shm"])
            if (File.Exists(path + suffix)) File.Move(path + suffix, aside + suffix);
        File.Delete(path + MarkSuffix);
        return aside;
    }

    /// <summary>Takes over the blocks and frauds that can still be read and whose signatures hold; answers how many blocks.</summary>
    public static int Salvage(string aside, IBlockStore store)
    {
        var kept = 0;
        try
        {
            using var database = Database.Open(aside, readOnly: false);
            var last = database.Number("SELECT max(ordinal) FROM blocks");
            var isOld = database.Number("PRAGMA user_version") < 3;
            var row = database.Prepare(isOld ? "SELECT packed FROM blocks WHERE ordinal = ?"
                : "SELECT p.key, b.sequence, l.key, b.link_sequence, b.rest FROM blocks b CROSS JOIN peers p ON p.id = b.peer CROSS JOIN peers l ON l.id = b.link_peer WHERE b.ordinal = ?");
            var failures = 0;
            for (var ordinal = 1L; ordinal <= last && failures < 1000; ordinal++)
            {
                try
                {
                    if (!row.Bind(1, ordinal).Step()) continue;
                    var block = isOld ? (HalfBlock.TryUnpack(row.Blob(0), out var old) ? old : null)
                        : BlockReader.TryAssemble(row.Blob(0), (uint)row.Number(1), row.Blob(2), (uint)row.Number(3), row.Blob(4));
                    if (block is not null && IsSigned(block) && store.Add(block)) kept++;
                    row.Reset();
                }
                catch (StorageException) { failures++; }
            }
            var frauds = database.Prepare(isOld ? "SELECT kind, first, second, NULL FROM frauds ORDER BY ordinal" : "SELECT kind, first, second, proposal FROM frauds ORDER BY ordinal");
            while (frauds.Step())
                if (HalfBlock.TryUnpack(frauds.Blob(1), out var first) && HalfBlock.TryUnpack(frauds.Blob(2), out var second)
                    && IsSigned(first) && IsSigned(second))
                    store.AddFraud(new FraudProof((FraudKind)frauds.Number(0), first, second) { Proposal = HalfBlock.TryUnpack(frauds.Blob(3), out var proposal) ? proposal : null });
        }
        catch (StorageException) { /* Nothing more can be read: the peers have it. */ }
        return kept;
    }

    /// <summary>A key's short name, or the beginning of its bytes.</summary>
    public static string NameOf(ReadOnlySpan<byte> key) =>
        PublicKey.TryParse(key, out var known) ? known.ShortName : Convert.ToHexStringLower(key[..Math.Min(8, key.Length)]);

    private static bool IsSigned(HalfBlock block) => block.VerifySignature(Ed25519Signatures.Instance);
}
