using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Polder.Apps.Parcels.Native;

namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>Somebody who says to be the sender, and how to get a connection there.</summary>
/// <param name="Key">Its key for the code.</param>
/// <param name="Where">In words: "on this network", "by the DHT at …".</param>
/// <param name="ConnectAsync">A connection; null when it cannot be reached.</param>
internal sealed record Candidate(byte[] Key, string Where, Func<CancellationToken, Task<Stream?>> ConnectAsync);

/// <summary>Looks for senders at every meeting place but the mailbox, the LAN first.</summary>
internal static class Candidates
{
    private static readonly TimeSpan DialTime = TimeSpan.FromSeconds(3), LanFirst = TimeSpan.FromSeconds(1), DhtPause = TimeSpan.FromSeconds(3);

    /// <summary>Gives them as they are found, until cancelled; each again at the next look, as a run that came to nothing may go better then.</summary>
    public static async IAsyncEnumerable<Candidate> FindAsync(
        MeetingOptions options, Func<IReadOnlyList<byte[]>> meetings, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var found = Channel.CreateBounded<Candidate>(64);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var looking = new List<Task>();
        if (options.Direct) looking.Add(LanAsync());
        if (options.Network is { } network) looking.Add(DhtAsync(network));
        try
        {
            while (await found.Reader.WaitToReadAsync(cancel).ConfigureAwait(false))
                while (found.Reader.TryRead(out var candidate)) yield return candidate;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(looking).ContinueWith(static _ => { }, TaskScheduler.Default).ConfigureAwait(false);
        }

        async Task LanAsync()
        {
            await foreach (var sender in LanMeeting.AskAsync(options.Loopback, meetings, over.Token).ConfigureAwait(false))
                await found.Writer.WriteAsync(new Candidate(sender.Key, options.Loopback ? "on this machine" : "on this network", token => DialAsync(sender.Address, token)), over.Token).ConfigureAwait(false);
        }

        async Task DhtAsync(IMeetingNetwork network)
        {
            if (options.Direct) await Task.Delay(LanFirst, over.Token).ConfigureAwait(false);
            while (true)
            {
                var seen = new HashSet<string>();
                foreach (var meeting in meetings())
                {
                    IReadOnlyList<LeftWord> left;
                    try { left = await network.FindAsync(meeting, over.Token).ConfigureAwait(false); }
                    catch (Exception problem) when (problem is IOException or HttpRequestException or Operations.OperationRefusedException) { continue; }
                    // Whoever pushes in first gains nothing by it.
                    foreach (var word in left.OrderBy(static _ => Random.Shared.Next()))
                    {
                        if (MeetingValue.TryRead(word.Value, meeting, DateTimeOffset.UtcNow) is not { } value || seen.Count > 64 || !seen.Add(Convert.ToHexString(value.Key))) continue;
                        await found.Writer.WriteAsync(new Candidate(value.Key, "through the DHT", token => ReachAsync(network, word.Peer, meeting, value, token)), over.Token).ConfigureAwait(false);
                    }
                }
                await Task.Delay(DhtPause, over.Token).ConfigureAwait(false);
            }
        }

        async Task<Stream?> ReachAsync(IMeetingNetwork network, string peer, byte[] meeting, MeetingValue value, CancellationToken token)
        {
            if (options.Direct)
                foreach (var endpoint in value.Endpoints)
                {
                    // A stranger's list must not make us knock at our own machine, or at everybody's.
                    if (!endpoint.IsSendable || endpoint.IsLinkLocal || endpoint.IsLoopback != options.Loopback) continue;
                    if (await DialAsync(endpoint.ToIPEndPoint(), token).ConfigureAwait(false) is { } stream) return stream;
                }
            return value.TakesSessions ? await network.DialAsync(peer, meeting, token).ConfigureAwait(false) : null;
        }
    }

    private static async Task<Stream?> DialAsync(IPEndPoint address, CancellationToken cancel)
    {
        var client = new TcpClient(address.AddressFamily) { NoDelay = true };
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(DialTime);
        try
        {
            await client.ConnectAsync(address, time.Token).ConfigureAwait(false);
            return client.GetStream();
        }
        catch (Exception problem) when (problem is SocketException || (problem is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            client.Dispose();
            return null;
        }
    }
}
