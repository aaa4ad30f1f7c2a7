using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Apps.Contacts;

/// <summary>Message 1: "You are in my book, and this is what I call myself." Answered by <see cref="Heard"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     1  flags: 1 = I made sure of your key, 2 = I should like to be in your book, 4 = I know nothing yet of what you say of yourself
///      3   2+n  what I call myself, UTF-8, at most 64 bytes; empty: nothing
/// </code></remarks>
internal readonly record struct Hello(ushort Identifier, byte Flags, string Alias) : IMessage<Hello>, ICorrelated
{
    public const byte MadeSure = 1, Asks = 2, Unheard = 4;

    public static byte Number => 1;
    // Flags of later versions are read and passed over.
    public static Hello Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadByte(), reader.ReadUtf8(ContactNames.BytesMax));
    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteByte(Flags); writer.WriteUtf8(Alias); }
}

/// <summary>Message 4: the hello was noted. Whoever blocks says so too: that it does is nobody's business.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
/// </code></remarks>
internal readonly record struct Heard(ushort Identifier) : IMessage<Heard>, ICorrelated
{
    public static byte Number => 4;
    public static Heard Read(ref WireReader reader) => new(reader.ReadUInt16());
    public void Write(ref WireWriter writer) => writer.WriteUInt16(Identifier);
}

/// <summary>Message 2: "Meet this friend of mine." Answered by <see cref="Introduced"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     n  an introduction (<see cref="Introduction"/>), at most 512 bytes
/// </code></remarks>
internal readonly record struct Introduce(ushort Identifier, ReadOnlyMemory<byte> Letter) : IMessage<Introduce>, ICorrelated
{
    public static byte Number => 2;

    public static Introduce Read(ref WireReader reader)
    {
        var identifier = reader.ReadUInt16();
        var letter = reader.ReadRest(Introduction.BytesMax);
        return new(identifier, reader.Failed ? default : letter.ToArray());
    }

    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteBytes(Letter.Span); }
}

/// <summary>Message 3: the introduction is on the disk, or it is not wanted.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     1  0 taken, 1 not wanted, 2 not now
/// </code></remarks>
internal readonly record struct Introduced(ushort Identifier, byte Verdict) : IMessage<Introduced>, ICorrelated
{
    public const byte Taken = 0, NotWanted = 1, NotNow = 2;

    public static byte Number => 3;

    public static Introduced Read(ref WireReader reader)
    {
        var identifier = reader.ReadUInt16();
        var verdict = reader.ReadByte();
        reader.Require(verdict <= NotNow, WireError.UnknownTag);
        return new(identifier, verdict);
    }

    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteByte(Verdict); }
}

/// <summary>A signed word of one contact to another about a third: its key, what the introducer calls it, and where it was lately.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1    74  key of the introducer
///     75    74  key of the person introduced
///    149     4  when, seconds since 1970
///    153   2+n  what the introducer calls it, UTF-8, at most 64 bytes
///      .     1  number of addresses, 0 to 4
///      .     m  addresses, 7 or 19 bytes each
///      .    64  Ed25519 signature of the introducer over "polder/contacts/introduction/1", the receiver's key and all before it
/// </code>The receiver is signed and not said: whoever is not meant cannot use it.</remarks>
public sealed record Introduction(PublicKey Introducer, PublicKey Person, DateTimeOffset At, string Name, IReadOnlyList<Endpoint> Addresses)
{
    /// <summary>The largest.</summary>
    public const int BytesMax = 512;
    /// <summary>Addresses at most.</summary>
    public const int AddressesMax = 4;

    private const byte Version = 1;

    /// <summary>The bytes for one receiver.</summary>
    public byte[] Sign(KeyPair introducer, PublicKey receiver, ISignatures signatures)
    {
        ArgumentNullException.ThrowIfNull(introducer);
        ArgumentNullException.ThrowIfNull(receiver);
        ArgumentNullException.ThrowIfNull(signatures);
        if (introducer.Public != Introducer) throw new ArgumentException("Only the introducer signs.", nameof(introducer));
        var writer = new WireWriter(stackalloc byte[BytesMax]);
        writer.WriteByte(Version);
        writer.WriteBytes(Introducer.Bytes);
        writer.WriteBytes(Person.Bytes);
        writer.WriteUInt32((uint)Math.Clamp(At.ToUnixTimeSeconds(), 0, uint.MaxValue));
        writer.WriteUtf8(Name);
        var count = Math.Min(Addresses.Count, AddressesMax);
        writer.WriteByte((byte)count);
        for (var i = 0; i < count; i++) writer.WriteAddress(Addresses[i]);
        var signature = new byte[Ed25519.SignatureBytes];
        signatures.Sign(introducer, Signed(receiver, writer.Written), signature);
        return [.. writer.Written, .. signature];
    }

    /// <summary>Reads an introduction that is meant for <paramref name="receiver"/>; null when it is damaged, forged or for somebody else.</summary>
    public static Introduction? TryRead(ReadOnlySpan<byte> bytes, PublicKey receiver, ISignatures signatures)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        ArgumentNullException.ThrowIfNull(signatures);
        if (bytes.Length is < 1 + 2 * KeyFormat.Bytes + 4 + 2 + 1 + Ed25519.SignatureBytes or > BytesMax || bytes[0] != Version) return null;
        var content = bytes[..^Ed25519.SignatureBytes];
        var reader = new WireReader(content);
        reader.ReadByte();
        reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var introducer), WireError.BadKey);
        reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var person), WireError.BadKey);
        var at = DateTimeOffset.FromUnixTimeSeconds(reader.ReadUInt32());
        var name = reader.ReadUtf8(ContactNames.BytesMax);
        var count = reader.ReadByte();
        reader.Require(count <= AddressesMax, WireError.TooLong);
        var addresses = new List<Endpoint>(AddressesMax);
        for (var i = 0; i < count && !reader.Failed; i++) addresses.Add(reader.ReadAddress());
        if (!reader.Finish() || introducer == person || person == receiver) return null;
        return signatures.Verify(introducer!, Signed(receiver, content), bytes[^Ed25519.SignatureBytes..])
            ? new Introduction(introducer!, person!, at, name, addresses) : null;
    }

    private static byte[] Signed(PublicKey receiver, ReadOnlySpan<byte> content) => [.. "polder/contacts/introduction/1"u8, .. receiver.Bytes, .. content];
}
