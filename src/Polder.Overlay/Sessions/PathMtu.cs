using System.Buffers.Binary;

namespace Polder.Overlay.Sessions;

/// <summary>
/// Path MTU discovery (OV-2.3): once full packets are sent, padded challenges of growing size find out what passes; three losses of
/// one size end it for a while.
/// </summary>
internal sealed class PathMtu(SessionTable table)
{
    private const int LossesMax = 3;
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(1);

    /// <summary>How far the discovery on a session's path is.</summary>
    internal sealed class State
    {
        public ulong Challenge { get; set; }
        public int Bytes { get; set; }
        public int Losses { get; set; }
        public TimeSpan DueAt { get; set; }
    }

    /// <summary>The session sends packets as large as it may.</summary>
    public void Wanted(Session session)
    {
        if (session.MtuState is not null || NextStep(session) == 0) return;
        session.MtuState = new State();
        Probe(session, table.Host.Now);
    }

    /// <summary>Whether this answers a probe.</summary>
    public bool Answered(Session session, ulong challenge)
    {
        if (session.MtuState is not { } state || state.Bytes == 0 || state.Challenge != challenge) return false;
        session.Path.DatagramBytesMax = Math.Max(session.Path.DatagramBytesMax, state.Bytes);
        (state.Bytes, state.Losses) = (0, 0);
        Probe(session, table.Host.Now);
        return true;
    }

    /// <summary>What is due; gives when to look again.</summary>
    public TimeSpan Work(Session session, TimeSpan now)
    {
        var state = session.MtuState!;
        if (now < state.DueAt) return state.DueAt;
        if (state.Bytes == 0)
        {
            // Nothing more to find, or a later try of a size that did not pass: at the next full packet.
            session.MtuState = null;
            return TimeSpan.MaxValue;
        }
        if (++state.Losses < LossesMax) Probe(session, now);
        else (state.Bytes, state.DueAt) = (0, now + table.Options.PathMtuRetry);
        return state.DueAt;
    }

    private int NextStep(Session session)
    {
        if (session.Path.Kind == PathKind.Relayed) return 0;
        var steps = session.Path.Remote.IsLoopback ? table.Options.LoopbackMtuSteps ?? table.Options.PathMtuSteps : table.Options.PathMtuSteps;
        foreach (var step in steps)
            if (step > session.Path.DatagramBytesMax && step <= Limits.DatagramBytesMax) return step;
        return 0;
    }

    private void Probe(Session session, TimeSpan now)
    {
        var state = session.MtuState!;
        state.Bytes = NextStep(session);
        state.DueAt = now + (state.Bytes == 0 ? table.Options.PathMtuRetry : LostAfter);
        table.Schedule(state.DueAt);
        if (state.Bytes == 0) return;
        state.Challenge = table.Host.Environment.Random.NextUInt64();
        Span<byte> body = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(body, state.Challenge);
        session.SendFrame(session.Path, FrameType.PathChallenge, body, state.Bytes);
    }
}
