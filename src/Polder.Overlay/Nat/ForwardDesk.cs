using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Sessions;
using Polder.Runtime;

namespace Polder.Overlay.Nat;

/// <summary>
/// Passes sealed records on between two neighbours of ours, and adds what only we can know: where we see the sender, and how far
/// both are (Overlay §6.1). We learn that they talk, nothing else.
/// </summary>
internal sealed class ForwardDesk(NodeHost host)
{
    private const int AskersMax = 256;
    private const double Burst = 16;

    private Dictionary<PublicKey, TokenBucket> Askers => field ??= new(PublicKey.Comparer);

    /// <summary>Records passed on since the start.</summary>
    public long Passed { get; private set; }

    public void Receive(Session from, in PunctureForward forward)
    {
        if (!host.Options.Nat.HelpsOthers || !MayAsk(from.Peer.Key) || host.Peers.Find(forward.Other) is not { } target
            || target.Key == from.Peer.Key || host.Peers.IsDiscouraged(target.Key))
        {
            Refuse(from, forward.Other);
            return;
        }
        var seen = from.ReceivedOn is { Kind: not PathKind.Relayed } path ? path.Remote : Endpoint.None;
        if (host.Sessions.Find(target) is { } open) Pass(from, open, seen, forward.Sealed);
        // Somebody who is only a neighbour gets a session for it; who is silent is no neighbour.
        else if (target.IsValidated && host.Nat.IsFull(target)) host.Nat.Watch(OpenAndPassAsync(from, target, seen, forward.Sealed.ToArray()));
        else Refuse(from, forward.Other);
    }

    private async Task OpenAndPassAsync(Session from, Peer target, Endpoint seen, byte[] content)
    {
        if (await host.Nat.SessionWithAsync(target) is { } session) Pass(from, session, seen, content);
        else Refuse(from, target.Key.Bytes);
    }

    private void Pass(Session from, Session to, Endpoint seen, ReadOnlySpan<byte> content)
    {
        Passed++;
        Span<byte> buffer = stackalloc byte[PunctureForward.BytesMax];
        to.Send(FrameType.PunctureForward, new PunctureForward
        {
            Kind = ForwardKind.Passed, Other = from.Peer.Key.Bytes, SeenAt = seen, Sealed = content,
            SenderRoundTrip = Milliseconds(from), ReceiverRoundTrip = Milliseconds(to),
        }.WriteTo(buffer));
    }

    private static void Refuse(Session from, ReadOnlySpan<byte> target)
    {
        Span<byte> buffer = stackalloc byte[PunctureForward.BytesMax];
        from.Send(FrameType.PunctureForward, new PunctureForward { Kind = ForwardKind.Refused, Other = target, SeenAt = Endpoint.None }.WriteTo(buffer));
    }

    private static ushort Milliseconds(Session session) =>
        (ushort)Math.Clamp((session.RoundTrip ?? session.Peer.RoundTrip ?? TimeSpan.Zero).TotalMilliseconds, 0, 5_000);

    private bool MayAsk(PublicKey asker)
    {
        if (Askers.Count >= AskersMax && !Askers.ContainsKey(asker)) Askers.Clear();
        var bucket = Askers.GetValueOrDefault(asker);
        var may = bucket.TryTake(host.Now, host.Options.Nat.ForwardsPerSecond, Burst);
        Askers[asker] = bucket;
        return may;
    }
}
