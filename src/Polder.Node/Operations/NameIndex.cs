using System.Globalization;
using Polder.Identity;
using Polder.Ledger.Stores;

namespace Polder.Node.Operations;

/// <summary>
/// Everybody whom the store's blocks name, found by the beginning of a short name or of a key. Numbers and bytes are compared, no
/// texts are made: a look through 100,000 takes less than a millisecond. Keys that came since are added at each question.
/// </summary>
internal sealed class NameIndex(IBlockStore store)
{
    /// <summary>Beyond it most are likely gone from the store: it begins anew.</summary>
    private const int KeysMax = 1_000_000;
    private const int LetterBits = 5, NameLetters = 10;

    private readonly List<(ulong Name, byte[] Key)> _keys = [];
    private int _last;

    /// <summary>Those whose short name or key begins like that, at most <paramref name="max"/>; letters and digits, "-" between is passed over.</summary>
    public IReadOnlyList<PublicKey> Find(string text, int max)
    {
        Refresh();
        var wanted = text.Trim().ToLowerInvariant();
        var letters = wanted.Replace("-", "", StringComparison.Ordinal);
        var found = new List<PublicKey>();
        if (letters.Length == 0) return found;
        var name = NameRange(letters);
        var hex = letters == wanted && letters.Length <= 2 * KeyFormat.Bytes && letters.All(char.IsAsciiHexDigit) ? letters : null;
        foreach (var (known, key) in _keys)
        {
            if (found.Count >= max) break;
            if ((name is var (from, to) && known >= from && known <= to) || (hex is not null && StartsWith(key, hex)))
                if (PublicKey.TryParse(key, out var peer)) found.Add(peer);
        }
        return found;
    }

    private void Refresh()
    {
        if (_keys.Count > KeysMax)
        {
            _keys.Clear();
            _last = 0;
        }
        foreach (var (number, key) in store.WorkKeys(_last))
        {
            _last = number;
            if (PublicKey.TryParse(key.Span, out var peer)) _keys.Add((peer.NodeId.Head >> 14, key.ToArray()));
        }
    }

    /// <summary>The first and the last name that begin with these letters; null when no name does.</summary>
    private static (ulong From, ulong To)? NameRange(string letters)
    {
        if (letters.Length > NameLetters) return null;
        var value = 0ul;
        foreach (var letter in letters)
        {
            var digit = letter is >= 'a' and <= 'z' ? letter - 'a' : letter is >= '2' and <= '7' ? letter - '2' + 26 : -1;
            if (digit < 0) return null;
            value = (value << LetterBits) | (uint)digit;
        }
        var rest = LetterBits * (NameLetters - letters.Length);
        return (value << rest, (value << rest) | ((1ul << rest) - 1));
    }

    private static bool StartsWith(byte[] key, string hex)
    {
        for (var i = 0; i < hex.Length; i++)
        {
            var nibble = i % 2 == 0 ? key[i / 2] >> 4 : key[i / 2] & 15;
            if (nibble != int.Parse(hex.AsSpan(i, 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture)) return false;
        }
        return true;
    }
}
