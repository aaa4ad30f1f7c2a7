using System.Buffers.Binary;
using Polder.Identity;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Sessions;

namespace Polder.Node.Folders;

/// <summary>Keys that had sessions with us, so that after a restart, too, nobody talks us out of encrypting with them (OV-3.2).</summary>
/// <remarks><code>
/// each  74  public key
///        8  until, seconds since 1970
/// </code></remarks>
internal sealed class StickyKeyFile(IStateStore state) : IStickyKeyStore
{
    private const int KeyBytes = KeyFormat.Bytes, EntryBytes = KeyBytes + 8;

    /// <inheritdoc/>
    public IReadOnlyList<StickyKey> Load()
    {
        var keys = new List<StickyKey>();
        if (state.Load(StatePart.StickyKeys) is not { } bytes) return keys;
        for (var rest = bytes.AsSpan(); rest.Length >= EntryBytes; rest = rest[EntryBytes..])
        {
            var until = BinaryPrimitives.ReadInt64BigEndian(rest[KeyBytes..]);
            if (until < 0 || until > DateTimeOffset.MaxValue.ToUnixTimeSeconds() || !PublicKey.TryParse(rest[..KeyBytes], out var key)) continue;
            keys.Add(new StickyKey(key, DateTimeOffset.FromUnixTimeSeconds(until)));
        }
        return keys;
    }

    /// <inheritdoc/>
    public void Save(IReadOnlyList<StickyKey> keys)
    {
        var bytes = new byte[keys.Count * EntryBytes];
        for (var i = 0; i < keys.Count; i++)
        {
            keys[i].Key.Bytes.CopyTo(bytes.AsSpan(i * EntryBytes));
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(i * EntryBytes + KeyBytes), keys[i].Until.ToUnixTimeSeconds());
        }
        // Losing it is no more than not knowing: the next session writes it again.
        _ = state.SaveAsync(StatePart.StickyKeys, bytes);
    }
}
