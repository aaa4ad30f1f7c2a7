using System.Text;

namespace Polder.Apps.Parcels.Transit;

/// <summary>What a relay answers to the bytes of a connection that is not glued yet.</summary>
internal enum RelayVerdict
{
    /// <summary>The line is not whole, or no partner is there.</summary>
    Wait,
    /// <summary>Glued to <see cref="RelayVisitor.Partner"/>: both get "ok\n".</summary>
    Glued,
    /// <summary>"bad handshake\n" and close.</summary>
    BadHandshake,
    /// <summary>"impatient\n" and close.</summary>
    Impatient,
    /// <summary>Over a limit: close.</summary>
    Refused,
}

/// <summary>One connection to the relay, until it is glued or closed.</summary>
/// <param name="address">Whose, for limits; "" for none.</param>
internal sealed class RelayVisitor(string address)
{
    public string Address => address;
    public StringBuilder Line { get; } = new();
    public string? Token { get; set; }
    public string? Side { get; set; }
    public RelayVisitor? Partner { get; set; }
    /// <summary>Set when a partner of the same token took another connection: close it.</summary>
    public bool IsSpare { get; set; }
    /// <summary>For the adapter.</summary>
    public object? Tag { get; set; }
}

/// <summary>Which connections of a transit relay belong together: pure rules, the adapter moves the bytes. Not safe for several threads.</summary>
internal sealed class RelayRules
{
    /// <summary>Bytes of the first line.</summary>
    public const int LineBytesMax = 512;
    /// <summary>Connections of one address that may wait, and that may be glued.</summary>
    public const int WaitingPerAddressMax = 64, GluedPerAddressMax = 64;
    /// <summary>Connections in all.</summary>
    public const int ConnectionsMax = 1_000;
    /// <summary>How long a line may wait for its partner: stock clients give up then.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(120);

    private const string Please = "please relay ", ForSide = " for side ";
    private const int TokenLength = 64, SideLength = 16;
    private static readonly int OldLength = Please.Length + TokenLength + 1, NewLength = OldLength + ForSide.Length + SideLength;

    private readonly Dictionary<string, List<RelayVisitor>> _waiting = new(StringComparer.Ordinal);
    private readonly HashSet<RelayVisitor> _all = [];

    public int Waiting => _waiting.Values.Sum(list => list.Count);
    public int Glued => _all.Count(visitor => visitor.Partner is not null);

    /// <summary>A connection came; false when it is one too many.</summary>
    public bool Enter(RelayVisitor visitor)
    {
        if (_all.Count >= ConnectionsMax) return false;
        if (visitor.Address.Length > 0 && _all.Count(other => other.Address == visitor.Address && other.Partner is null) >= WaitingPerAddressMax) return false;
        _all.Add(visitor);
        return true;
    }

    /// <summary>Takes bytes of a connection that is not glued. With <see cref="RelayVerdict.Glued"/>, spare connections of the token are in <paramref name="spares"/>.</summary>
    public RelayVerdict Feed(RelayVisitor visitor, ReadOnlySpan<byte> bytes, out IReadOnlyList<RelayVisitor> spares)
    {
        spares = [];
        if (bytes.IsEmpty) return RelayVerdict.Wait;
        if (visitor.Token is not null) return RelayVerdict.Impatient;
        visitor.Line.Append(Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, LineBytesMax)]));
        var line = visitor.Line.ToString();
        if (Matches(line, OldLength, out var token, out _)) return line.Length > OldLength ? RelayVerdict.Impatient : Meet(visitor, token, null, out spares);
        if (Matches(line, NewLength, out token, out var side)) return line.Length > NewLength ? RelayVerdict.Impatient : Meet(visitor, token, side, out spares);
        var ended = line.Contains('\n', StringComparison.Ordinal);
        return CannotBe(line.Length, OldLength, ended) && CannotBe(line.Length, NewLength, ended) ? RelayVerdict.BadHandshake : RelayVerdict.Wait;
    }

    /// <summary>The connection is gone. Its partner, if it has one, is to be closed too.</summary>
    public RelayVisitor? Leave(RelayVisitor visitor)
    {
        if (!_all.Remove(visitor)) return null;
        if (visitor.Token is { } token && _waiting.TryGetValue(token, out var list) && list.Remove(visitor) && list.Count == 0) _waiting.Remove(token);
        var partner = visitor.Partner;
        if (partner is not null) _all.Remove(partner);
        return partner;
    }

    private RelayVerdict Meet(RelayVisitor visitor, string token, string? side, out IReadOnlyList<RelayVisitor> spares)
    {
        spares = [];
        (visitor.Token, visitor.Side) = (token, side);
        if (!_waiting.TryGetValue(token, out var list)) _waiting[token] = list = [];
        // The newest that waits is the likeliest to be alive.
        var partner = list.FindLast(other => other.Side is null || side is null || other.Side != side);
        if (partner is null)
        {
            list.Add(visitor);
            return RelayVerdict.Wait;
        }
        if (TooMany(visitor.Address) || TooMany(partner.Address)) return RelayVerdict.Refused;
        list.Remove(partner);
        _waiting.Remove(token);
        spares = list;
        foreach (var spare in list) spare.IsSpare = true;
        (visitor.Partner, partner.Partner) = (partner, visitor);
        return RelayVerdict.Glued;
    }

    private bool TooMany(string address) =>
        address.Length > 0 && _all.Count(other => other.Address == address && other.Partner is not null) >= 2 * GluedPerAddressMax;

    /// <summary>A line that ended too early, or is long enough and did not match. One byte short with its end inside still waits, as the stock relay does.</summary>
    private static bool CannotBe(int length, int wanted, bool ended) => length >= wanted || (length < wanted - 1 && ended);

    private static bool Matches(string line, int wanted, out string token, out string? side)
    {
        (token, side) = ("", null);
        if (line.Length < wanted || !line.StartsWith(Please, StringComparison.Ordinal) || line[wanted - 1] != '\n') return false;
        token = line.Substring(Please.Length, TokenLength);
        if (!IsWord(token)) return false;
        if (wanted == OldLength) return true;
        if (string.CompareOrdinal(line, OldLength - 1, ForSide, 0, ForSide.Length) != 0) return false;
        side = line.Substring(OldLength - 1 + ForSide.Length, SideLength);
        return IsWord(side);
    }

    private static bool IsWord(string text)
    {
        foreach (var letter in text)
            if (!char.IsAsciiLetterOrDigit(letter) && letter != '_') return false;
        return true;
    }
}
