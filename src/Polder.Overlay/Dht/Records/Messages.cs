using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Dht.Records;

/// <summary>What an asker wants and is.</summary>
[Flags]
internal enum FindFlags : byte
{
    None = 0,
    /// <summary>Records under the target.</summary>
    Records = 1,
    /// <summary>Nodes near the target.</summary>
    Contacts = 2,
    /// <summary>The sender is behind a NAT that does not let others in: in nobody's table (OV-10.6).</summary>
    Client = 4,
    /// <summary>The sender is younger than ten minutes.</summary>
    Young = 8,
}

/// <summary>Message 1: "what is at this key, and who is near it?" Without flags: "are you there?"</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  nonce
///      4    32  target
///     36     1  flags     1 records, 2 contacts, 4 sender is a client, 8 sender is young
///     37     1  skip      records to leave out
///     38     n  padding   zeros; so many that an answer is no more than three times as long where no session proves the sender
/// </code></remarks>
internal readonly record struct Find(uint Nonce, Hash256 Target, FindFlags Flags, byte Skip, int Padding) : IMessage<Find>
{
    public static byte Number => 1;

    public static Find Read(ref WireReader reader)
    {
        var find = new Find(reader.ReadUInt32(), reader.ReadHash(), (FindFlags)reader.ReadByte(), reader.ReadByte(), 0);
        return find with { Padding = reader.ReadRest().Length };
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteHash(Target);
        writer.WriteByte((byte)Flags);
        writer.WriteByte(Skip);
        writer.Reserve(Padding).Clear();
    }
}

/// <summary>Message 2: records, contacts, and leave to store here.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  nonce      of the question
///      4     8  token      for storing here, 5 to 10 minutes
///     12     8  puzzle     the sender's nonce of this week (OV-8.1)
///     20     1  flags      4 the sender is a client, 8 it is young
///     21     1  total      records that the sender has under the key
///     22     1  n          records here
///      .     4  remaining  n times: seconds that the record still lives, followed by
///      .   2+x  record
///      .     1  m          contacts, at most 8, the nearest first
///      .  7/19  address    m times (ip_address), followed by
///      .    64  public key without its tag
/// </code></remarks>
internal readonly record struct Found(uint Nonce, ulong Token, ulong Puzzle, FindFlags Flags, byte Total, (uint Remaining, byte[] Record)[] Records, byte ContactCount, byte[] Contacts)
    : IMessage<Found>
{
    public const int ContactsMax = 8, HeadBytes = 24;
    private const int RecordBytesMin = 4 + 2 + 1, ContactBytesMin = 7 + Contact.KeyBytes;

    public static byte Number => 2;

    public static Found Read(ref WireReader reader)
    {
        var (nonce, token, puzzle, flags, total) = (reader.ReadUInt32(), reader.ReadUInt64(), reader.ReadUInt64(), (FindFlags)reader.ReadByte(), reader.ReadByte());
        var count = reader.ReadByte();
        reader.Require(count * RecordBytesMin <= reader.Remaining, WireError.Truncated);
        var records = reader.Failed || count == 0 ? [] : new (uint, byte[])[count];
        for (var i = 0; i < records.Length; i++) records[i] = (reader.ReadUInt32(), reader.ReadBytes16(DhtRecord.BytesMax).ToArray());
        var contacts = reader.ReadByte();
        reader.Require(contacts <= ContactsMax, WireError.TooLong);
        reader.Require(contacts * ContactBytesMin <= reader.Remaining, WireError.Truncated);
        var rest = reader.ReadRest();
        // Kept as it came: a key is made of it only when it is asked.
        var check = new WireReader(rest);
        for (var i = 0; i < contacts; i++)
        {
            check.ReadAddress();
            check.ReadBytes(Contact.KeyBytes);
        }
        if (!reader.Failed && !check.Finish()) reader.Fail(check.Error);
        return new Found(nonce, token, puzzle, flags, total, reader.Failed ? [] : records, contacts, reader.Failed ? [] : rest.ToArray());
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteUInt64(Token);
        writer.WriteUInt64(Puzzle);
        writer.WriteByte((byte)Flags);
        writer.WriteByte(Total);
        writer.WriteByte(checked((byte)Records.Length));
        foreach (var (remaining, record) in Records)
        {
            writer.WriteUInt32(remaining);
            writer.WriteBytes16(record);
        }
        writer.WriteByte(ContactCount);
        writer.WriteBytes(Contacts);
    }
}

/// <summary>How a holder took a record.</summary>
internal enum StoreVerdict : byte
{
    Kept = 0,
    BadToken = 1,
    /// <summary>Too many nodes are closer.</summary>
    NotOurs = 2,
    /// <summary>Some quota is used up.</summary>
    Full = 3,
    /// <summary>One of a higher sequence number is here.</summary>
    Older = 4,
    /// <summary>Signature, hash, form or time.</summary>
    Bad = 5,
    /// <summary>It contradicts a record here: both are kept as proof.</summary>
    Contradicts = 6,
}

/// <summary>Message 3: "keep this."</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  nonce
///      4     8  token      of an answer of the receiver
///     12     1  flags      1 a copy on the way of a search, for ten minutes at most
///     13     4  remaining  seconds that the record still lives
///     17   2+x  record
/// </code></remarks>
internal readonly record struct Store(uint Nonce, ulong Token, bool IsCache, uint Remaining, ReadOnlyMemory<byte> Record) : IMessage<Store>
{
    public static byte Number => 3;

    public static Store Read(ref WireReader reader) =>
        new(reader.ReadUInt32(), reader.ReadUInt64(), (reader.ReadByte() & 1) != 0, reader.ReadUInt32(), reader.ReadBytes16(DhtRecord.BytesMax).ToArray());

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteUInt64(Token);
        writer.WriteBoolean(IsCache);
        writer.WriteUInt32(Remaining);
        writer.WriteBytes16(Record.Span);
    }
}

/// <summary>Message 4: what became of it. Fields: nonce (4), verdict (1).</summary>
internal readonly record struct Stored(uint Nonce, StoreVerdict Verdict) : IMessage<Stored>
{
    public static byte Number => 4;
    public static Stored Read(ref WireReader reader) => new(reader.ReadUInt32(), (StoreVerdict)reader.ReadByte());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteByte((byte)Verdict);
    }
}

/// <summary>A node as others tell of it.</summary>
internal readonly record struct Contact(PublicKey Key, Endpoint Address)
{
    public const int KeyBytes = KeyFormat.Bytes - KeyFormat.TagBytes;

    public void Write(ref WireWriter writer)
    {
        writer.WriteAddress(Address);
        writer.WriteBytes(Key.Bytes[KeyFormat.TagBytes..]);
    }
}

internal static class HashFields
{
    public static Hash256 ReadHash(this ref WireReader reader) => reader.ReadBytes(Hash256.Bytes) is { Length: Hash256.Bytes } bytes ? new Hash256(bytes) : default;
    public static void WriteHash(this ref WireWriter writer, Hash256 hash) => hash.CopyTo(writer.Reserve(Hash256.Bytes));
    public static ulong HeadOf(ReadOnlySpan<byte> digest) => BinaryPrimitives.ReadUInt64BigEndian(digest);
}
