using Polder.Apps.Parcels.Native;
using Polder.Identity;
using Polder.Node.Parcels.Native.Transfer;
using Polder.Overlay;
using Polder.Overlay.Dht;
using Polder.Overlay.Streams;

namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>
/// Meeting through a node of this process. A stream of the protocol "polder/send/1" begins with the rendezvous that it is for, 20 bytes; one byte 1
/// answers when somebody listens for it.
/// </summary>
internal sealed class NodeMeetingNetwork : IMeetingNetwork
{
    /// <summary>What the streams are called.</summary>
    public const string ProtocolName = "polder/send/1";

    private const int ListenersMax = 256;

    private readonly NodeHost _host;
    private readonly Dictionary<string, Func<Stream, Task>> _listeners = [];

    private NodeMeetingNetwork(NodeHost host) => _host = host;

    /// <summary>The node's own; made at the first call, on any thread.</summary>
    public static Task<NodeMeetingNetwork> OfAsync(NodeHost host) => host.InvokeAsync(() =>
    {
        if (host.Find<NodeMeetingNetwork>() is { } known) return known;
        var network = new NodeMeetingNetwork(host);
        host.Streams.Accept(ProtocolName, network.TakeAsync);
        host.Offer(network);
        return network;
    });

    public async Task PublishAsync(byte[] meeting, byte[] value, CancellationToken cancel)
    {
        var task = await _host.InvokeAsync(() => _host.Find<DhtService>()?.JoinAsync(TopicOf(meeting), value, MeetingValue.Life)).WaitAsync(cancel).ConfigureAwait(false);
        if (task is not null) await task.WaitAsync(cancel).ConfigureAwait(false);
    }

    public Task ForgetAsync(byte[] meeting) => _host.InvokeAsync(() => _host.Find<DhtService>()?.Forget(DhtRecord.KeyOfTopic(TopicOf(meeting))) ?? false);

    public async Task<IReadOnlyList<LeftWord>> FindAsync(byte[] meeting, CancellationToken cancel)
    {
        var task = await _host.InvokeAsync(() => _host.Find<DhtService>()?.FindAsync(TopicOf(meeting))).WaitAsync(cancel).ConfigureAwait(false);
        if (task is null) return [];
        var found = await task.WaitAsync(cancel).ConfigureAwait(false);
        return [.. found.Members.Select(static member => new LeftWord(Convert.ToHexStringLower(member.Publisher.Bytes), member.Value.ToArray()))];
    }

    public async Task<Stream?> DialAsync(string peer, byte[] meeting, CancellationToken cancel)
    {
        if (!PublicKey.TryParseHex(peer, out var key)) return null;
        // Two sends of one node: they meet within it.
        if (key == _host.Identity.Public) return null;
        var stream = await Invoke(async () =>
        {
            if (await _host.Connector.ConnectAsync(key, cancel) is not { } session) return null;
            return await _host.Streams.OpenAsync(session, ProtocolName, cancel: cancel);
        }).ConfigureAwait(false);
        if (stream is null) return null;
        var bytes = new SessionByteStream(_host, stream);
        try
        {
            await bytes.WriteAsync(meeting, cancel).ConfigureAwait(false);
            var answer = new byte[1];
            await bytes.ReadExactlyAsync(answer, cancel).ConfigureAwait(false);
            if (answer[0] == 1) return bytes;
        }
        catch (IOException) { }
        await bytes.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async Task<IAsyncDisposable> ListenAsync(byte[] meeting, Func<Stream, Task> handler, CancellationToken cancel)
    {
        var name = Convert.ToHexStringLower(meeting);
        await _host.Environment.Loop.InvokeAsync(() =>
        {
            if (_listeners.Count < ListenersMax) _listeners[name] = handler;
        }).ConfigureAwait(false);
        return new Listener(this, name, handler);
    }

    private static string TopicOf(byte[] meeting) => "polder/send/" + Convert.ToHexStringLower(meeting);

    private async Task<PeerStream?> Invoke(Func<Task<PeerStream?>> work) => await _host.Environment.Loop.InvokeAsync(work).ConfigureAwait(false);

    // On the loop: who comes is a stranger.
    private async Task TakeAsync(PeerStream stream)
    {
        var meeting = new byte[Rendezvous.Bytes];
        using (var time = new CancellationTokenSource(GuessBudget.RunTime, _host.Environment.Time))
            if (!await stream.ReadExactlyAsync(meeting, time.Token)) return;
        if (!_listeners.TryGetValue(Convert.ToHexStringLower(meeting), out var handler)) return;
        await stream.WriteAsync(new byte[] { 1 });
        var bytes = new SessionByteStream(_host, stream);
        await handler(bytes);
        await bytes.Ended;
    }

    private sealed class Listener(NodeMeetingNetwork network, string name, Func<Stream, Task> handler) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await network._host.Environment.Loop.InvokeAsync(() =>
        {
            if (network._listeners.TryGetValue(name, out var now) && now == handler) network._listeners.Remove(name);
        }).ConfigureAwait(false);
    }
}
