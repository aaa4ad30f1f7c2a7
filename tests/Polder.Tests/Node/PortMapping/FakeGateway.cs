using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Polder.Node.PortMapping;

namespace Polder.Tests.Node.PortMapping;

/// <summary>A router on 127.0.0.1: answers what it is told to speak, and remembers what it was asked.</summary>
internal sealed class FakeGateway : IAsyncDisposable
{
    private readonly Socket _control, _search;
    private readonly TcpListener _web;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _work = [];

    public FakeGateway()
    {
        (_control, _search) = (Bind(), Bind());
        _web = new TcpListener(IPAddress.Loopback, 0);
        _web.Start();
        _work.AddRange([ControlAsync(), SearchAsync(), WebAsync()]);
    }

    public static Gateway Here { get; } = new(IPAddress.Loopback, IPAddress.Loopback);

    public bool Pcp { get; init; }
    public bool NatPmp { get; init; }
    public bool Upnp { get; init; }
    public IPAddress Outer { get; set; } = IPAddress.Parse("203.0.113.7");
    public uint LifetimeSeconds { get; set; } = 3600;
    /// <summary>What SSDP says; null for the truth.</summary>
    public Func<int, string>? Location { get; init; }
    /// <summary>What the description is; null for one that serves.</summary>
    public Func<string>? Description { get; init; }
    /// <summary>The first line and further header lines of every answer over HTTP.</summary>
    public string Status { get; init; } = "HTTP/1.1 200 OK";
    public bool OnlyPermanent { get; init; }
    /// <summary>Every request in order: "pcp 4711 3600", "natpmp …", "AddPortMapping …".</summary>
    public List<string> Asked { get; } = [];

    public int ControlPort => ((IPEndPoint)_control.LocalEndPoint!).Port;
    public int SearchPort => ((IPEndPoint)_search.LocalEndPoint!).Port;
    public int WebPort => ((IPEndPoint)_web.LocalEndpoint).Port;

    public IReadOnlyList<IPortControl> Controls(Gateway gateway) =>
        [new PcpControl(gateway, ControlPort), new NatPmpControl(gateway, ControlPort), new UpnpControl(gateway, SearchPort)];

    public int CountOf(string start)
    {
        lock (Asked) return Asked.Count(line => line.StartsWith(start, StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _control.Dispose();
        _search.Dispose();
        _web.Stop();
        await Task.WhenAll(_work);
        _stop.Dispose();
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private void Note(string line)
    {
        lock (Asked) Asked.Add(line);
    }

    private async Task ControlAsync()
    {
        var buffer = new byte[1500];
        try
        {
            while (true)
            {
                var got = await _control.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                var request = buffer.AsMemory(0, got.ReceivedBytes);
                if (Answer(request.Span) is { } answer) await _control.SendToAsync(answer, SocketFlags.None, got.RemoteEndPoint, _stop.Token);
            }
        }
        catch (Exception problem) when (problem is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private byte[]? Answer(ReadOnlySpan<byte> request)
    {
        if (Pcp && request.Length == 60 && request[0] == 2)
        {
            var lifetime = BinaryPrimitives.ReadUInt32BigEndian(request[4..]);
            Note($"pcp {BinaryPrimitives.ReadUInt16BigEndian(request[40..])} {lifetime}");
            var answer = new byte[60];
            (answer[0], answer[1]) = (2, 0x81);
            BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(4), lifetime == 0 ? 0 : LifetimeSeconds);
            request[24..44].CopyTo(answer.AsSpan(24));
            request[40..42].CopyTo(answer.AsSpan(42));
            Outer.MapToIPv6().TryWriteBytes(answer.AsSpan(44), out _);
            return answer;
        }
        if (!NatPmp || request.Length < 2 || request[0] != 0) return null;
        if (request[1] == 0)
        {
            Note("natpmp address");
            return [0, 0x80, 0, 0, 0, 0, 0, 9, .. Outer.GetAddressBytes()];
        }
        var seconds = BinaryPrimitives.ReadUInt32BigEndian(request[8..]);
        Note($"natpmp {BinaryPrimitives.ReadUInt16BigEndian(request[4..])} {seconds}");
        var mapped = new byte[16];
        mapped[1] = 0x81;
        request[4..6].CopyTo(mapped.AsSpan(8));
        request[4..6].CopyTo(mapped.AsSpan(10));
        BinaryPrimitives.WriteUInt32BigEndian(mapped.AsSpan(12), seconds == 0 ? 0 : LifetimeSeconds);
        return mapped;
    }

    private async Task SearchAsync()
    {
        var buffer = new byte[1500];
        try
        {
            while (true)
            {
                var got = await _search.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                if (!Upnp || !Encoding.ASCII.GetString(buffer, 0, got.ReceivedBytes).StartsWith("M-SEARCH", StringComparison.Ordinal)) continue;
                Note("search");
                var location = Location?.Invoke(WebPort) ?? $"http://127.0.0.1:{WebPort}/root.xml";
                await _search.SendToAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nST: x\r\nLocation: {location}\r\n\r\n"), SocketFlags.None, got.RemoteEndPoint, _stop.Token);
            }
        }
        catch (Exception problem) when (problem is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task WebAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _web.AcceptTcpClientAsync(_stop.Token);
                var stream = client.GetStream();
                var request = await ReadAsync(stream);
                var body = Serve(request, out var status);
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"{status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}"), _stop.Token);
            }
        }
        catch (Exception problem) when (problem is OperationCanceledException or SocketException or InvalidOperationException or IOException) { }
    }

    private async Task<string> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var count = await stream.ReadAsync(buffer, _stop.Token);
            if (count == 0) return text.ToString();
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
            var all = text.ToString();
            var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            var length = all.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            if (length is null || all.Length >= end + 4 + int.Parse(length[15..], System.Globalization.CultureInfo.InvariantCulture)) return all;
        }
    }

    private string Serve(string request, out string status)
    {
        status = Status;
        if (request.StartsWith("GET", StringComparison.Ordinal))
        {
            Note("GET " + request.Split(' ')[1]);
            return Description?.Invoke() ?? Root;
        }
        foreach (var action in (string[])["AddPortMapping", "DeletePortMapping", "GetExternalIPAddress"])
        {
            if (!request.Contains("#" + action, StringComparison.Ordinal)) continue;
            var lease = Polder.Node.PortMapping.Upnp.TryReadValue(Encoding.UTF8.GetBytes(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]), "NewLeaseDuration");
            Note($"{action} {lease}");
            if (OnlyPermanent && action == "AddPortMapping" && lease != "0")
            {
                status = "HTTP/1.1 500 Internal Server Error";
                return "<e><errorCode>725</errorCode></e>";
            }
            return $"<s:Envelope xmlns:s=\"x\"><s:Body><NewExternalIPAddress>{Outer}</NewExternalIPAddress></s:Body></s:Envelope>";
        }
        status = "HTTP/1.1 404 Not Found";
        return "";
    }

    private const string Root = """
        <?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><serviceList>
        <service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/l3f</controlURL></service>
        <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl/IPConn</controlURL></service>
        </serviceList></device></deviceList></device></root>
        """;
}
