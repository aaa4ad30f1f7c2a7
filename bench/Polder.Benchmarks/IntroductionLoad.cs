using System.Net;
using System.Net.Sockets;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Packets;

namespace Polder.Benchmarks;

/// <summary>
/// Peers that knock: each has a key and a socket of its own on 127.0.0.1, proves its address once as any peer does, and then
/// sends requests that were signed beforehand.
/// </summary>
internal sealed class IntroductionLoad : IDisposable
{
    private const int RequestsMin = 4_000;
    private static readonly TimeSpan ProveTime = TimeSpan.FromSeconds(60);
    private const int ResponseNumberOffset = Packet.PrefixBytes;

    private readonly Socket[] _sockets;
    private readonly KeyPair[] _keys;
    private readonly byte[][][] _requests;
    private readonly CommunityId _community;
    private readonly SocketAddress _node;
    private readonly Endpoint _endpoint;
    private readonly byte[] _buffer = new byte[2048];
    private int _next;
    private ulong _globalTime;

    public IntroductionLoad(int peers, Endpoint node, CommunityId community)
    {
        (_community, _node, _endpoint) = (community, node.ToIPEndPoint().Serialize(), node);
        _sockets = new Socket[peers];
        _keys = new KeyPair[peers];
        _requests = new byte[peers][][];
        for (var i = 0; i < peers; i++)
        {
            _sockets[i] = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            _sockets[i].Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _keys[i] = BenchKeys.Make(i);
        }
        for (var i = 0; i < peers; i++)
        {
            _requests[i] = new byte[Math.Max(2, RequestsMin / peers)][];
            for (var j = 0; j < _requests[i].Length; j++) _requests[i][j] = Request(i, node, (ushort)(j + 1));
        }
    }

    public long AnswersSeen { get; private set; }

    /// <summary>The next request goes out, of the next peer in turn.</summary>
    public void SendNext()
    {
        var peer = _next % _sockets.Length;
        _sockets[peer].SendTo(_requests[peer][_next / _sockets.Length % _requests[peer].Length], SocketFlags.None, _node);
        _next = _next == int.MaxValue ? 0 : _next + 1;
    }

    /// <summary>Every peer knocks and answers the node's own question, so that its address is proved.</summary>
    public void ProveAll(Func<bool> enough, CancellationToken stop)
    {
        // A busy machine takes its time: what counts is that all get in.
        var began = TimeProvider.System.GetTimestamp();
        for (var tries = 0; TimeProvider.System.GetElapsedTime(began) < ProveTime && !enough(); tries++)
        {
            for (var i = 0; i < _sockets.Length; i++)
            {
                stop.ThrowIfCancellationRequested();
                // Another one each time: the node takes the same one twice for a replay.
                if (tries % 10 == 0) _sockets[i].SendTo(tries == 0 ? _requests[i][0] : Request(i, _endpoint, (ushort)(50_000 + tries)), SocketFlags.None, _node);
                if (i % 50 == 49) Thread.Sleep(1);
                Answer(i);
            }
            Thread.Sleep(5);
            for (var i = 0; i < _sockets.Length; i++) Answer(i);
        }
        if (!enough()) throw new InvalidOperationException($"Within {ProveTime.TotalSeconds:0} s the node did not take all of the load's {_sockets.Length} peers in.");
    }

    /// <summary>Reads what came, and counts the answers to requests.</summary>
    public void Drain()
    {
        for (var i = 0; i < _sockets.Length; i++) Answer(i, alsoQuestions: false);
    }

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
        foreach (var key in _keys) key.Dispose();
    }

    private void Answer(int peer, bool alsoQuestions = true)
    {
        while (_sockets[peer].Available > 0)
        {
            var length = _sockets[peer].Receive(_buffer);
            var number = length > ResponseNumberOffset ? _buffer[ResponseNumberOffset] : (byte)0;
            if (number is OverlayLimits.IntroductionResponseNumber or OverlayLimits.NewIntroductionResponseNumber) AnswersSeen++;
            if (!alsoQuestions || number != OverlayLimits.IntroductionRequestNumber) continue;
            if (!Packet.CommunityOf(_buffer).Equals(_community)) continue;
            if (Packet.CutSigned(_buffer.AsSpan(0, length), MessageForm.GlobalTime, out var packet) != Wire.WireError.None) continue;
            if (Packet.Read(packet.Fields, out IntroductionRequest request) != Wire.WireError.None) continue;
            var here = Here(peer);
            var response = new IntroductionResponse(request.SourceLan, here, here, Endpoint.None, Endpoint.None, 0, request.Identifier, default);
            var bytes = new byte[512];
            var written = Packet.WriteSigned(bytes, _community, MessageForm.GlobalTime, ++_globalTime, response, _keys[peer], Ed25519Signatures.Instance);
            _sockets[peer].SendTo(bytes.AsSpan(0, written), SocketFlags.None, _node);
        }
    }

    private byte[] Request(int peer, Endpoint node, ushort identifier)
    {
        var here = Here(peer);
        var request = new IntroductionRequest(node, here, here, IntroductionRequest.Advice, identifier, default);
        var bytes = new byte[512];
        var written = Packet.WriteSigned(bytes, _community, MessageForm.GlobalTime, ++_globalTime, request, _keys[peer], Ed25519Signatures.Instance);
        return bytes[..written];
    }

    private Endpoint Here(int peer)
    {
        var local = (IPEndPoint)_sockets[peer].LocalEndPoint!;
        return Endpoint.From(local.Address, local.Port);
    }
}
