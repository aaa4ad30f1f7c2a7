using System.Globalization;
using System.Net;
using System.Text;
using System.Xml;

namespace Polder.Node.PortMapping;

/// <summary>The service of a gateway that maps ports.</summary>
/// <param name="Type">Its URN: WANIPConnection or WANPPPConnection.</param>
/// <param name="Control">Where it is asked, on the gateway.</param>
internal sealed record UpnpService(string Type, Uri Control);

/// <summary>
/// UPnP-IGD, the words of it: the search (SSDP), the description (XML) and the calls (SOAP). Pure. Everything that comes is a
/// stranger's: addresses other than the gateway's are refused, XML has no DTD, lengths are bounded by the caller.
/// </summary>
internal static class Upnp
{
    public const int SearchPort = 1900;
    public const int SearchAnswerBytesMax = 2_048;
    /// <summary>Bytes of a description or an answer that are read at most.</summary>
    public const int BodyBytesMax = 64 * 1024;
    /// <summary>"OnlyPermanentLeasesSupported": try again with a lease of 0, which is without end.</summary>
    public const int OnlyPermanentLeases = 725;
    /// <summary>"ConflictInMappingEntry": somebody else has that outer port.</summary>
    public const int Conflict = 718;

    private const int UrlCharsMax = 512;
    private static readonly string[] Services =
    [
        "urn:schemas-upnp-org:service:WANIPConnection:2", "urn:schemas-upnp-org:service:WANIPConnection:1", "urn:schemas-upnp-org:service:WANPPPConnection:1",
    ];

    /// <summary>The question who there is a gateway; sent to the gateway alone, not to a group.</summary>
    public static byte[] Search(IPEndPoint gateway) => Encoding.ASCII.GetBytes(
        $"M-SEARCH * HTTP/1.1\r\nHOST: {gateway}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n");

    /// <summary>Where the answer to a search says that the description is; only an http address of the gateway itself.</summary>
    public static bool TryReadLocation(ReadOnlySpan<byte> answer, IPAddress gateway, out Uri location)
    {
        location = null!;
        if (answer.Length > SearchAnswerBytesMax || !answer.StartsWith("HTTP/1.1 200"u8)) return false;
        foreach (var line in Encoding.Latin1.GetString(answer).AsSpan().EnumerateLines())
        {
            const string name = "LOCATION:";
            if (!line.StartsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            return TryMake(line[name.Length..].Trim(), null, gateway, out location);
        }
        return false;
    }

    /// <summary>The first service of a description that maps ports, the newest kind first.</summary>
    public static bool TryReadDescription(ReadOnlySpan<byte> xml, Uri location, IPAddress gateway, out UpnpService service)
    {
        service = null!;
        var best = Services.Length;
        try
        {
            using var reader = Open(xml);
            var (type, control, depth) = ("", "", -1);
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth)
                {
                    var rank = Array.IndexOf(Services, type);
                    if (rank >= 0 && rank < best && TryMake(control, location, gateway, out var uri)) (best, service) = (rank, new UpnpService(type, uri));
                    (type, control, depth) = ("", "", -1);
                }
                if (reader.NodeType != XmlNodeType.Element) continue;
                if (reader.LocalName == "service") depth = reader.IsEmptyElement ? -1 : reader.Depth;
                else if (depth >= 0 && reader.Depth == depth + 1 && reader.LocalName == "serviceType") type = TextOf(reader);
                else if (depth >= 0 && reader.Depth == depth + 1 && reader.LocalName == "controlURL") control = TextOf(reader);
            }
        }
        // Truncated or malformed: what was found before holds, if anything.
        catch (XmlException) { }
        return service is not null;
    }

    /// <summary>The call that maps a UDP port. A lease of zero is without end.</summary>
    public static string Add(string service, ushort outerPort, ushort innerPort, IPAddress own, TimeSpan lease) => Call(service, "AddPortMapping", string.Create(
        CultureInfo.InvariantCulture,
        $"<NewRemoteHost></NewRemoteHost><NewExternalPort>{outerPort}</NewExternalPort><NewProtocol>UDP</NewProtocol><NewInternalPort>{innerPort}</NewInternalPort><NewInternalClient>{own}</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>Polder</NewPortMappingDescription><NewLeaseDuration>{(uint)lease.TotalSeconds}</NewLeaseDuration>"));

    /// <summary>The call that takes a mapping away.</summary>
    public static string Delete(string service, ushort outerPort) => Call(service, "DeletePortMapping", string.Create(
        CultureInfo.InvariantCulture, $"<NewRemoteHost></NewRemoteHost><NewExternalPort>{outerPort}</NewExternalPort><NewProtocol>UDP</NewProtocol>"));

    /// <summary>The call that asks for the outer address.</summary>
    public static string AskAddress(string service) => Call(service, "GetExternalIPAddress", "");

    /// <summary>The value of an element of an answer; null when it is not there or the answer is no XML.</summary>
    public static string? TryReadValue(ReadOnlySpan<byte> xml, string element)
    {
        try
        {
            using var reader = Open(xml);
            while (reader.Read())
                if (reader.NodeType == XmlNodeType.Element && reader.LocalName == element) return TextOf(reader);
        }
        catch (XmlException) { }
        return null;
    }

    /// <summary>The error code of a refusal; 0 when there is none.</summary>
    public static int ErrorOf(ReadOnlySpan<byte> xml) =>
        int.TryParse(TryReadValue(xml, "errorCode"), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : 0;

    private static string Call(string service, string action, string arguments) =>
        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"
        + $"<s:Body><u:{action} xmlns:u=\"{service}\">{arguments}</u:{action}></s:Body></s:Envelope>\r\n";

    /// <summary>An http address, absolute or beside another, whose host is the gateway's own address in digits.</summary>
    private static bool TryMake(ReadOnlySpan<char> text, Uri? beside, IPAddress gateway, out Uri made)
    {
        made = null!;
        if (text.Length is 0 or > UrlCharsMax) return false;
        var ok = beside is null ? Uri.TryCreate(text.ToString(), UriKind.Absolute, out var uri) : Uri.TryCreate(beside, text.ToString(), out uri);
        if (!ok || uri!.Scheme != Uri.UriSchemeHttp || uri.UserInfo.Length > 0 || uri.HostNameType != UriHostNameType.IPv4) return false;
        if (!IPAddress.TryParse(uri.Host, out var host) || !host.Equals(gateway)) return false;
        made = uri;
        return true;
    }

    private static string TextOf(XmlReader reader)
    {
        if (reader.IsEmptyElement || !reader.Read() || reader.NodeType is not (XmlNodeType.Text or XmlNodeType.CDATA)) return "";
        return reader.Value.Length > UrlCharsMax ? "" : reader.Value.Trim();
    }

    private static XmlReader Open(ReadOnlySpan<byte> xml) => XmlReader.Create(new MemoryStream(xml.Length <= BodyBytesMax ? xml.ToArray() : []), new XmlReaderSettings
    {
        DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = BodyBytesMax, MaxCharactersFromEntities = 0,
        IgnoreComments = true, IgnoreProcessingInstructions = true, IgnoreWhitespace = true,
    });
}
