using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Polder.Apps.Parcels.Codes;

/// <summary>A code as a link or a QR picture: <c>wormhole-transfer:CODE?version=0&amp;rendezvous=URL&amp;role=follower</c>, percent-encoded.</summary>
/// <param name="Code">The code.</param>
/// <param name="Mailbox">The mailbox server to use, when it is another than usual.</param>
/// <param name="ReaderSends">Whether who reads the link is the sender ("role=leader").</param>
public sealed record WormholeUri(WormholeCode Code, string? Mailbox = null, bool ReaderSends = false)
{
    /// <summary>What such a link begins with.</summary>
    public const string Scheme = "wormhole-transfer:";

    /// <summary>The link as text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Scheme).Append(Uri.EscapeDataString(Code.Text));
        var sign = '?';
        if (Mailbox is not null) { text.Append(sign).Append("rendezvous=").Append(Uri.EscapeDataString(Mailbox)); sign = '&'; }
        if (ReaderSends) text.Append(sign).Append("role=leader");
        return text.ToString();
    }

    /// <summary>Reads a link; false for anything else, for a version we do not know, and for keys we do not know, as the format wants it.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out WormholeUri? uri)
    {
        uri = null;
        if (text.Length > 2_000 || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return false;
        var rest = text[Scheme.Length..];
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        if (!WormholeCode.TryParse(Uri.UnescapeDataString(question < 0 ? rest : rest[..question]), out var code, out _)) return false;
        string? mailbox = null;
        var reader = false;
        foreach (var pair in question < 0 ? [] : rest[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) return false;
            var value = Uri.UnescapeDataString(pair[(equals + 1)..]);
            switch (pair[..equals])
            {
                case "version" when value == "0": break;
                case "rendezvous": mailbox = value; break;
                case "role" when value is "follower" or "leader": reader = value == "leader"; break;
                default: return false;
            }
        }
        uri = new WormholeUri(code, mailbox, reader);
        return true;
    }
}
