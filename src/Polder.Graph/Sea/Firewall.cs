using System.Globalization;
using System.Security.Cryptography;
using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Sea;

/// <summary>What the firewall says at once.</summary>
internal enum FirewallVerdict : byte
{
    /// <summary>It may be stored.</summary>
    Accepted,
    /// <summary>It has expired: forgotten without a word of blame.</summary>
    Dropped,
    /// <summary>It may not be stored.</summary>
    Refused,
    /// <summary>A signature decides: <see cref="SignatureClaim.Verify"/>.</summary>
    Claimed,
}

/// <summary>
/// Which writes are accepted (gun.md §12). Stricter than gun.js in two places: who names himself as writer of another's graph needs a
/// certificate, and old signature schemes count for the old forms only.
/// </summary>
internal static class Firewall
{
    public const string Unverified = "Unverified data.", NotSameAccount = "Account not same!", NotSameAlias = "Alias not same!",
        NoData = "Data must exist!", NoAlias = "Alias must exist!", NotSameHash = "Data hash not same as hash!";

    private const string AliasList = "~@", PubKey = "pub";

    /// <summary>Checks one write.</summary>
    /// <param name="write">What is to be stored.</param>
    /// <param name="milliseconds">The present, for data that expires.</param>
    /// <param name="error">Why it is refused.</param>
    /// <param name="claim">What must be verified still.</param>
    public static FirewallVerdict Check(in GraphWrite write, double milliseconds, out string? error, out SignatureClaim? claim)
    {
        (error, claim) = (null, null);
        if (Lifetime(write.Soul) is { } seconds && write.State + seconds * 1000 < milliseconds) return FirewallVerdict.Dropped;
        if (write.Soul.StartsWith(AliasList, StringComparison.Ordinal))
        {
            error = write.Soul.Length == AliasList.Length ? CheckLink(write, AliasList + write.Key, NoData) : CheckLink(write, write.Key, NoAlias);
        }
        else if (SoulOwner.Of(write.Soul) is { } owner) return CheckUser(write, owner, out error, out claim);
        else if (write.Soul.Contains('#', StringComparison.Ordinal) && !IsHashOf(write)) error = NotSameHash;
        return error is null ? FirewallVerdict.Accepted : FirewallVerdict.Refused;
    }

    /// <summary>Seconds that data of this soul lives: the number behind <c>&lt;?</c>; null for data that stays.</summary>
    public static double? Lifetime(string soul)
    {
        var at = soul.IndexOf("<?", StringComparison.Ordinal);
        if (at < 0) return null;
        var text = soul.AsSpan(at + 2);
        var length = 0;
        while (length < text.Length && length < 15 && (char.IsAsciiDigit(text[length]) || text[length] == '.')) length++;
        return double.TryParse(text[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 ? seconds : null;
    }

    private static string? CheckLink(in GraphWrite write, string soul, string whenNull) =>
        write.Value.IsNull ? whenNull : write.Value.AsLink == soul ? null : NotSameAlias;

    private static FirewallVerdict CheckUser(in GraphWrite write, string owner, out string? error, out SignatureClaim? claim)
    {
        (error, claim) = (null, null);
        if (write.Key == PubKey && write.Soul.Length == owner.Length + 1 && write.Soul[0] == '~')
        {
            if (write.Value.AsText == owner) return FirewallVerdict.Accepted;
            error = NotSameAccount;
            return FirewallVerdict.Refused;
        }
        // A signed state of 0 does not verify on gun.js relays; what only some accept splits the graph.
        if (write.State == 0 || SignedValue.Read(write) is not { } signed)
        {
            error = Unverified;
            return FirewallVerdict.Refused;
        }
        var certificate = signed.Writer is { } writer && writer != owner ? signed.Certificate : null;
        if (signed.Writer is not null && signed.Writer != owner)
        {
            error = certificate is null ? Unverified : Certificate.Check(certificate["m"]!, signed.Writer, write);
            if (error is not null) return FirewallVerdict.Refused;
        }
        claim = new SignatureClaim(write, owner, signed, certificate);
        return FirewallVerdict.Claimed;
    }

    private static bool IsHashOf(in GraphWrite write)
    {
        var key = write.Key.AsSpan(write.Key.LastIndexOf('#') + 1);
        var digest = SHA256.HashData(SeaText.Utf8(write.Value.AsText ?? write.Value.ToJson()));
        return key.SequenceEqual(Convert.ToBase64String(digest)) || key.Equals(Convert.ToHexString(digest), StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>A write into a user graph whose signature is to be checked: pure, for a worker.</summary>
/// <param name="Write">What is to be stored.</param>
/// <param name="Owner">Whose graph it is.</param>
/// <param name="Signed">The signed value.</param>
/// <param name="CertificateOfWriter">The right of a writer who is not the owner; what it allows was checked.</param>
internal sealed record SignatureClaim(GraphWrite Write, string Owner, SignedValue Signed, JsonItem? CertificateOfWriter)
{
    /// <summary>The node in which the owner notes writers whom he blocks, where the certificate names one; asked on the loop.</summary>
    public string? BlockSoul => CertificateOfWriter is { } certificate ? Certificate.BlockSoul(certificate["m"]!, Owner) : null;

    /// <summary>Checks the signatures; null where they hold, else why not.</summary>
    public string? Verify()
    {
        if (CertificateOfWriter is { } certificate
            && (certificate["s"]?.AsText is not { } right || !SeaSignatures.VerifyMessage(SeaText.Parse(certificate["m"]!), right, Owner))) return Certificate.Failed;
        var signer = CertificateOfWriter is null ? Owner : Signed.Writer!;
        return SeaSignatures.Verify(signer, Signed.Signature, oldSignature: Signed.OldText is not null, Signed.OldText ?? SignedValue.Text(Write.Soul, Write.Key, Signed.Value, Write.State))
            ? null : Firewall.Unverified;
    }
}
