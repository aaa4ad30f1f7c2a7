using System.Diagnostics.CodeAnalysis;
using System.Text;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Chat;

/// <summary>What a change does to a group.</summary>
internal enum ChangeKind : byte
{
    Create = 1,
    Add = 2,
    Remove = 3,
    Leave = 4,
    Promote = 5,
    Demote = 6,
    Rename = 7,
    /// <summary>Only a new key: any member may, whenever the newest key is not exactly for those who are members.</summary>
    Rekey = 8,
}

/// <summary>Somebody whom a change names.</summary>
/// <param name="Key">Who.</param>
/// <param name="Admin">Create and Add: whether as admin.</param>
/// <param name="Seen">Remove and Leave: the highest number of this author that the change's author had seen. Later ones do not count.</param>
internal readonly record struct Named(PublicKey Key, bool Admin, uint Seen);

/// <summary>The content of a change of a group.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  kind: 1 create, 2 add, 3 remove, 4 leave, 5 promote, 6 demote, 7 rename, 8 new key
///      1     1  number of parents, at most 16; 0 only in create
///           32  each: a change that its author knew and that nothing it knew followed
///          2+n  name of the group (create, rename; else empty), UTF-8, at most 64 bytes
///            2  number of people named; each: key 74, admin 1, seen 4
///           32  commitment to the new secret; zero where the change brings none
///            2  number of boxes; each: first 8 bytes of the receiver's node id, box 80
/// </code></remarks>
internal sealed record GroupChange(
    ChangeKind Kind, IReadOnlyList<EventId> Parents, string Name, IReadOnlyList<Named> People, Hash256 Commitment, IReadOnlyList<GroupChange.Box> Boxes)
{
    public readonly record struct Box(ulong Head, ReadOnlyMemory<byte> Bytes);

    /// <summary>Whether it begins an epoch.</summary>
    public bool BringsKey => Kind is ChangeKind.Create or ChangeKind.Add or ChangeKind.Remove or ChangeKind.Rekey;

    public byte[] Write()
    {
        var bytes = new byte[2 + Parents.Count * 32 + 2 + Encoding.UTF8.GetByteCount(Name) + 2 + People.Count * (KeyFormat.Bytes + 5) + 32 + 2 + Boxes.Count * (8 + KeyBox.Bytes)];
        var writer = new WireWriter(bytes);
        writer.WriteByte((byte)Kind);
        writer.WriteByte((byte)Parents.Count);
        foreach (var parent in Parents) parent.Hash.CopyTo(writer.Reserve(32));
        writer.WriteUtf8(Name);
        writer.WriteUInt16((ushort)People.Count);
        foreach (var one in People)
        {
            writer.WriteBytes(one.Key.Bytes);
            writer.WriteBoolean(one.Admin);
            writer.WriteUInt32(one.Seen);
        }
        Commitment.CopyTo(writer.Reserve(32));
        writer.WriteUInt16((ushort)Boxes.Count);
        foreach (var box in Boxes)
        {
            writer.WriteUInt64(box.Head);
            writer.WriteBytes(box.Bytes.Span);
        }
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out GroupChange? change)
    {
        var reader = new WireReader(bytes);
        var kind = (ChangeKind)reader.ReadByte();
        reader.Require(kind is >= ChangeKind.Create and <= ChangeKind.Rekey, WireError.UnknownTag);
        var count = reader.ReadByte();
        reader.Require(count <= ChatLimits.ParentsMax, WireError.TooLong);
        reader.Require(count == 0 == (kind == ChangeKind.Create));
        var parents = new List<EventId>();
        for (var i = 0; i < count && !reader.Failed; i++) parents.Add(new EventId(EventHeader.ReadHash(ref reader)));
        var name = reader.ReadUtf8(ChatLimits.GroupNameBytesMax);
        var named = reader.ReadUInt16();
        reader.Require(named <= ChatLimits.MembersMax, WireError.TooLong);
        var people = new List<Named>();
        for (var i = 0; i < named && !reader.Failed; i++)
        {
            reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var key), WireError.BadKey);
            var flag = reader.ReadByte();
            reader.Require(flag <= 1);
            var seen = reader.ReadUInt32();
            if (!reader.Failed) people.Add(new Named(key!, flag == 1, seen));
        }
        var commitment = EventHeader.ReadHash(ref reader);
        var sealedFor = reader.ReadUInt16();
        reader.Require(sealedFor <= ChatLimits.MembersMax, WireError.TooLong);
        var boxes = new List<Box>();
        for (var i = 0; i < sealedFor && !reader.Failed; i++)
        {
            var head = reader.ReadUInt64();
            var box = reader.ReadBytes(KeyBox.Bytes);
            if (!reader.Failed) boxes.Add(new Box(head, box.ToArray()));
        }
        change = null;
        if (!reader.Finish()) return false;
        var made = new GroupChange(kind, parents, name, people, commitment, boxes);
        if (!made.IsWellFormed) return false;
        change = made;
        return true;
    }

    /// <summary>Whether fields and kind go together.</summary>
    private bool IsWellFormed
    {
        get
        {
            if (BringsKey != (Commitment != default) || (!BringsKey && Boxes.Count > 0)) return false;
            if (Parents.Distinct().Count() != Parents.Count || People.Select(static one => one.Key).Distinct().Count() != People.Count) return false;
            var wantsName = Kind is ChangeKind.Create or ChangeKind.Rename;
            if (wantsName ? string.IsNullOrWhiteSpace(Name) : Name.Length > 0) return false;
            return Kind switch
            {
                ChangeKind.Add or ChangeKind.Remove => People.Count > 0,
                ChangeKind.Promote or ChangeKind.Demote or ChangeKind.Leave => People.Count == 1,
                ChangeKind.Rename or ChangeKind.Rekey => People.Count == 0,
                _ => true,
            };
        }
    }

    /// <summary>The secret in the box for this key; null when there is none that fits the commitment.</summary>
    public Hash256? OpenFor(KeyPair key)
    {
        if (!BringsKey) return null;
        var head = key.Public.NodeId.Head;
        foreach (var box in Boxes)
            if (box.Head == head && KeyBox.TryOpen(key, box.Bytes.Span) is { } secret && GroupCipher.Commitment(secret) == Commitment) return secret;
        return null;
    }
}
