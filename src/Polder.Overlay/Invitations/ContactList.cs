using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.AddressBook;
using Polder.Wire;

namespace Polder.Overlay.Invitations;

/// <summary>How somebody became a contact.</summary>
public enum ContactOrigin : byte
{
    /// <summary>It used an invitation of ours.</summary>
    InvitedByUs = 0,
    /// <summary>We used its invitation.</summary>
    InvitedUs = 1,
    /// <summary>The owner added it.</summary>
    Added = 2,
}

/// <summary>Somebody whom the owner knows.</summary>
/// <param name="Key">Who.</param>
/// <param name="Name">What the owner calls it; at most 64 bytes of UTF-8.</param>
/// <param name="Since">When it became a contact, in seconds since 1970.</param>
/// <param name="Origin">How.</param>
/// <param name="Address">Where it was when it did; none for unknown.</param>
public sealed record Contact(PublicKey Key, string Name, uint Since, ContactOrigin Origin, Endpoint Address);

/// <summary>The owner's contacts, kept in the node's state. They are preferred as neighbours. On the node's loop.</summary>
public sealed class ContactList
{
    /// <summary>More are refused.</summary>
    public const int ContactsMax = 4_096;
    /// <summary>Bytes of a name in UTF-8.</summary>
    public const int NameBytesMax = 64;

    private readonly NodeHost _host;
    private readonly Dictionary<PublicKey, Contact> _byKey = new(PublicKey.Comparer);
    private readonly IStateStore? _store;

    /// <summary>Loads what was kept. Offer the store to the host before.</summary>
    public ContactList(NodeHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _store = host.Find<IStateStore>();
        if (_store?.Load(StatePart.Contacts) is { } bytes)
            foreach (var contact in Read(bytes)) _byKey[contact.Key] = contact;
        host.Neighbourhood.SetContacts(peer => _byKey.Count > 0 && _byKey.ContainsKey(peer.Key));
    }

    /// <summary>Somebody became a contact, or its name changed.</summary>
    public event Action<Contact>? Changed;

    /// <summary>All of them, longest known first.</summary>
    public IReadOnlyList<Contact> All => [.. _byKey.Values.OrderBy(static contact => contact.Since).ThenBy(static contact => contact.Key)];

    /// <summary>The contact with this key, or null.</summary>
    public Contact? Find(PublicKey key) => _byKey.GetValueOrDefault(key);

    /// <summary>Adds somebody. False when it is one already, the list is full, or the disk refused.</summary>
    public async Task<bool> AddAsync(PublicKey key, ContactOrigin origin, Endpoint address, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (_byKey.ContainsKey(key) || _byKey.Count >= ContactsMax || key == _host.Identity.Public) return false;
        var contact = new Contact(key, Fit(name ?? key.ShortName), _host.UnixSeconds, origin, address);
        _byKey.Add(key, contact);
        var kept = await SaveAsync();
        Changed?.Invoke(contact);
        return kept;
    }

    /// <summary>Gives a contact another name. False when there is no such contact or the disk refused.</summary>
    public async Task<bool> RenameAsync(PublicKey key, string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!_byKey.TryGetValue(key, out var contact)) return false;
        _byKey[key] = contact = contact with { Name = Fit(name) };
        var kept = await SaveAsync();
        Changed?.Invoke(contact);
        return kept;
    }

    /// <summary>Forgets a contact. False when there is no such contact or the disk refused.</summary>
    public async Task<bool> RemoveAsync(PublicKey key) => _byKey.Remove(key) && await SaveAsync();

    private Task<bool> SaveAsync() => _store?.SaveAsync(StatePart.Contacts, Write(All)) ?? Task.FromResult(true);

    private static string Fit(string name)
    {
        name = name.Trim();
        while (System.Text.Encoding.UTF8.GetByteCount(name) > NameBytesMax) name = name[..^(char.IsLowSurrogate(name[^1]) && name.Length > 1 ? 2 : 1)];
        return name;
    }

    /// <summary>Contacts as bytes.</summary>
    /// <remarks><code>
    /// offset  size  field
    ///      0     8  ASCII "PLDRCONT"
    ///      8     1  version 01
    ///      9     2  number of contacts
    ///     11     n  contacts: key 74, origin 1, since 4, address 7 or 19, name 2 + UTF-8
    ///   11+n    32  SHA-256 of all before it
    /// </code></remarks>
    internal static byte[] Write(IReadOnlyList<Contact> contacts)
    {
        var bytes = new byte[11 + contacts.Count * (KeyFormat.Bytes + 1 + 4 + 19 + 2 + NameBytesMax) + Hash256.Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes("PLDRCONT"u8);
        writer.WriteByte(1);
        writer.WriteUInt16((ushort)contacts.Count);
        foreach (var contact in contacts)
        {
            writer.WriteBytes(contact.Key.Bytes);
            writer.WriteByte((byte)contact.Origin);
            writer.WriteUInt32(contact.Since);
            writer.WriteAddress(contact.Address);
            writer.WriteUtf8(contact.Name);
        }
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads contacts; empty when the bytes are damaged.</summary>
    internal static IReadOnlyList<Contact> Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 11 + Hash256.Bytes || Hash256.Of(bytes[..^Hash256.Bytes]) != new Hash256(bytes[^Hash256.Bytes..])) return [];
        var reader = new WireReader(bytes[..^Hash256.Bytes]);
        reader.Require(reader.ReadBytes(8).SequenceEqual("PLDRCONT"u8) && reader.ReadByte() == 1, WireError.UnknownTag);
        var count = reader.ReadUInt16();
        reader.Require(count <= ContactsMax, WireError.TooLong);
        var contacts = new List<Contact>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var key), WireError.BadKey);
            var origin = reader.ReadByte();
            reader.Require(origin <= (byte)ContactOrigin.Added, WireError.UnknownTag);
            var (since, address, name) = (reader.ReadUInt32(), reader.ReadAddress(), reader.ReadUtf8(NameBytesMax));
            if (!reader.Failed) contacts.Add(new Contact(key!, name, since, (ContactOrigin)origin, address));
        }
        return reader.Finish() ? contacts : [];
    }
}
