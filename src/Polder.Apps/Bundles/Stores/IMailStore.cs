namespace Polder.Apps.Bundles.Stores;

/// <summary>The shelves of a mail store. The numbers stay: they are on disks.</summary>
public enum MailShelf : byte
{
    /// <summary>What is known of letters of ours, by letter.</summary>
    Own = 1,
    /// <summary>What is known of letters that we carry, by letter.</summary>
    Carried = 2,
    /// <summary>The sealed bytes of both, by letter; read one at a time, not at the start.</summary>
    Sealed = 3,
    /// <summary>Letters that arrived here, by letter.</summary>
    Received = 4,
    /// <summary>Proofs that letters arrived, by letter.</summary>
    Notes = 5,
    /// <summary>Numbers that go on over restarts, by receiver.</summary>
    Numbers = 6,
}

/// <summary>One thing of a shelf.</summary>
/// <param name="Shelf">Where it lies.</param>
/// <param name="Key">What it is called there, at most 80 bytes.</param>
/// <param name="Value">The thing.</param>
public sealed record MailThing(MailShelf Shelf, byte[] Key, byte[] Value);

/// <summary>
/// Where the mail-bag keeps what must outlive a crash: things on shelves. Changes are seen at once by this object and are on the disk, in
/// order, all or none of each flush, when <see cref="FlushAsync"/> completes. Used on the node's loop.
/// </summary>
public interface IMailStore
{
    /// <summary>Everything but <see cref="MailShelf.Sealed"/>, in the order of shelves and keys.</summary>
    IEnumerable<MailThing> Load();

    /// <summary>One thing; null when there is none.</summary>
    byte[]? Read(MailShelf shelf, ReadOnlySpan<byte> key);

    /// <summary>Puts a thing there, in the place of one with that key.</summary>
    void Put(MailShelf shelf, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value);

    /// <summary>Takes a thing away, if it is there.</summary>
    void Remove(MailShelf shelf, ReadOnlySpan<byte> key);

    /// <summary>Completes on the loop when all changes so far are on the disk. What failed stays queued, and is tried again with the next flush.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    Task FlushAsync();
}
