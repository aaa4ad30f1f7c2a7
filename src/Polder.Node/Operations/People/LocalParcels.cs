using System.Net;
using System.Net.Sockets;
using Polder.Apps.Parcels.Codes;
using Polder.Node.Parcels;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;

namespace Polder.Node.Operations;

/// <summary>The parcels of a running node in this process.</summary>
internal sealed class LocalParcels : IParcelOperations, IAsyncDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(30), GlueWait = TimeSpan.FromSeconds(10);
    private const int BytesPerCopy = 256 * 1024;

    private readonly PolderNode _node;
    private readonly Dictionary<string, (IAsyncDisposable? Listener, long Round)> _meetings = [];
    private readonly SemaphoreSlim _meeting = new(1);
    private long _round;

    public LocalParcels(PolderNode node, Action changed)
    {
        _node = node;
        var folder = Path.GetFullPath(node.Options.Data);
        Desk = new ParcelDesk(new ParcelFolder(folder), Path.Combine(folder, "received"), Servers, MeetingAsync, changed);
    }

    public ParcelDesk Desk { get; }

    public Task<IReadOnlyList<ParcelView>> ListAsync(CancellationToken cancellation = default) => Task.FromResult(Desk.List());
    public Task<ParcelView> SendAsync(IReadOnlyList<string> paths, string? code = null, CancellationToken cancellation = default) => Desk.SendAsync(paths, code);
    public Task<ParcelView> ReceiveAsync(string code, string? folder = null, CancellationToken cancellation = default) => Desk.ReceiveAsync(code, folder);
    public Task<ParcelView> AnswerAsync(string id, bool accept, CancellationToken cancellation = default) => Task.FromResult(Desk.Answer(id, accept));
    public Task<ParcelView> ResumeAsync(string id, CancellationToken cancellation = default) => Desk.ResumeAsync(id);
    public Task<ParcelView> StopAsync(string id, CancellationToken cancellation = default) => Desk.StopAsync(id);
    public Task ForgetAsync(string id, CancellationToken cancellation = default) => Desk.ForgetAsync(id);
    public Task<string> UploadFolderAsync(CancellationToken cancellation = default) => Task.FromResult(UploadFolder.New(Desk.Folder));
    public IReadOnlyList<string> Complete(string typed) => CodeCompletion.Words(typed, 3);

    public async Task MeetAsync(byte[] meeting, byte[]? word, int? port, CancellationToken cancellation = default)
    {
        Check(meeting);
        if (word is { Length: > 256 } || port is < 1 or > 65535) throw new OperationRefusedException(RefusalKind.BadInput, "A word has at most 256 bytes, and a port is a number from 1 to 65535.");
        var network = await NetworkAsync().ConfigureAwait(false);
        var name = Convert.ToHexStringLower(meeting);
        long round;
        await _meeting.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (word is null && port is null)
            {
                await EndAsync(name, meeting).ConfigureAwait(false);
                return;
            }
            if (_meetings.Count > 256) throw new OperationRefusedException(RefusalKind.Conflict, "Too many programs wait at this node.");
            _meetings.TryGetValue(name, out var known);
            if (port is { } local)
            {
                if (known.Listener is { } old) await old.DisposeAsync().ConfigureAwait(false);
                known.Listener = await network.ListenAsync(meeting, stream => PassOnAsync(stream, local), cancellation).ConfigureAwait(false);
            }
            round = ++_round;
            _meetings[name] = (known.Listener, round);
        }
        finally { _meeting.Release(); }
        _ = ExpireAsync(name, meeting, round);
        if (word is not null) await network.PublishAsync(meeting, word, cancellation).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<ParcelWord>> FindAsync(byte[] meeting, CancellationToken cancellation = default)
    {
        Check(meeting);
        var network = await NetworkAsync().ConfigureAwait(false);
        return [.. (await network.FindAsync(meeting, cancellation).ConfigureAwait(false)).Select(static word => new ParcelWord(word.Peer, word.Value))];
    }

    public async Task<int> DialAsync(string peer, byte[] meeting, CancellationToken cancellation = default)
    {
        Check(meeting);
        var network = await NetworkAsync().ConfigureAwait(false);
        if (await network.DialAsync(peer, meeting, cancellation).ConfigureAwait(false) is not { } stream) return 0;
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(1);
        _ = GlueAsync();
        return ((IPEndPoint)listener.LocalEndpoint).Port;

        async Task GlueAsync()
        {
            using (listener)
            using (var time = new CancellationTokenSource(GlueWait))
            {
                try
                {
                    using var client = await listener.AcceptTcpClientAsync(time.Token).ConfigureAwait(false);
                    client.NoDelay = true;
                    await CopyBothAsync(client.GetStream(), stream).ConfigureAwait(false);
                }
                catch (Exception problem) when (problem is OperationCanceledException or SocketException) { }
            }
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync() => await Desk.DisposeAsync().ConfigureAwait(false);

    // Without a server of its own choice, a node that serves stock clients meets at itself.
    private ParcelOptions Servers()
    {
        var set = _node.Options;
        var mailbox = set.ParcelMailbox ?? (set.MailboxPort is > 0 and var own ? $"ws://127.0.0.1:{own}/v1" : null);
        var relay = set.ParcelRelay ?? (set is { Loopback: true, RelayPort: > 0 } ? $"127.0.0.1:{set.RelayPort}" : null);
        return new ParcelOptions
        {
            Mailbox = mailbox is null ? null : ParcelAddresses.Mailbox(mailbox, set.Loopback), Relay = relay is null ? null : ParcelAddresses.Relay(relay, set.Loopback),
            MailboxIsPublic = set.ParcelMailbox is null && !set.Loopback, Loopback = set.Loopback, DataFolder = Path.GetFullPath(set.Data),
        };
    }

    private async Task<MeetingOptions> MeetingAsync() => new() { Loopback = _node.Options.Loopback, Network = await NetworkAsync().ConfigureAwait(false) };

    private Task<NodeMeetingNetwork> NetworkAsync() => NodeMeetingNetwork.OfAsync(_node.Host);

    private static void Check(byte[] meeting)
    {
        if (meeting.Length != Apps.Parcels.Native.Rendezvous.Bytes) throw new OperationRefusedException(RefusalKind.BadInput, "A rendezvous has 20 bytes.");
    }

    // A program that was killed says no goodbye.
    private async Task ExpireAsync(string name, byte[] meeting, long round)
    {
        await Task.Delay(Lease).ConfigureAwait(false);
        await _meeting.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_meetings.TryGetValue(name, out var known) && known.Round == round) await EndAsync(name, meeting).ConfigureAwait(false);
        }
        finally { _meeting.Release(); }
    }

    private async Task EndAsync(string name, byte[] meeting)
    {
        if (!_meetings.Remove(name, out var known)) return;
        if (known.Listener is not null) await known.Listener.DisposeAsync().ConfigureAwait(false);
        await (await NetworkAsync().ConfigureAwait(false)).ForgetAsync(meeting).ConfigureAwait(false);
    }

    private static async Task PassOnAsync(Stream stream, int port)
    {
        await using var _ = stream;
        using var client = new TcpClient { NoDelay = true };
        try { await client.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false); }
        catch (SocketException) { return; }
        await CopyBothAsync(client.GetStream(), stream).ConfigureAwait(false);
    }

    private static async Task CopyBothAsync(NetworkStream local, Stream stream)
    {
        var down = CopyAsync(stream, local);
        var up = CopyAsync(local, stream);
        await Task.WhenAny(up, down).ConfigureAwait(false);
        // The other direction gets a moment for what is on its way.
        await Task.WhenAny(Task.WhenAll(up, down), Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false);

        static async Task CopyAsync(Stream from, Stream to)
        {
            try { await from.CopyToAsync(to, BytesPerCopy).ConfigureAwait(false); }
            catch (Exception problem) when (problem is IOException or ObjectDisposedException or OperationCanceledException) { }
        }
    }
}
