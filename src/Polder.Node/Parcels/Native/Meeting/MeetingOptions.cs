namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>Where our own way meets.</summary>
internal sealed record MeetingOptions
{
    /// <summary>Nothing leaves this machine: everything binds 127.0.0.1.</summary>
    public bool Loopback { get; init; }

    /// <summary>A running node, for DHT and sessions; null without.</summary>
    public IMeetingNetwork? Network { get; init; }

    /// <summary>How long a receiver lets a mailbox go first: there a sender that uses it has left its first message already.</summary>
    public TimeSpan HeadStart { get; init; }

    /// <summary>Whether TCP is tried; a test of sessions switches it off.</summary>
    public bool Direct { get; init; } = true;
}
