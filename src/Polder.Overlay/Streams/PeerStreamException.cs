namespace Polder.Overlay.Streams;

/// <summary>Why a stream ended before its end.</summary>
public enum StreamEnd
{
    /// <summary>The peer gave up what it was sending.</summary>
    Reset,
    /// <summary>The peer wants no more of what we send.</summary>
    Stopped,
    /// <summary>We gave it up ourselves.</summary>
    Abandoned,
    /// <summary>The session ended, or its peer started again.</summary>
    SessionClosed,
    /// <summary>The peer has not been heard for <see cref="StreamOptions.GiveUpAfter"/>.</summary>
    Silent,
}

/// <summary>Codes of RESET and STOP_SENDING that streams use themselves. Protocols take theirs from 256 on.</summary>
public static class StreamCodes
{
    /// <summary>Nothing is wrong; nobody needs more.</summary>
    public const uint Done = 0;
    /// <summary>Nobody accepts this protocol here.</summary>
    public const uint UnknownProtocol = 1;
    /// <summary>The stream does not begin with a protocol's name.</summary>
    public const uint BadBeginning = 2;
    /// <summary>The handler failed.</summary>
    public const uint Failed = 3;
    /// <summary>Too much is asked for at once.</summary>
    public const uint Busy = 4;
}

/// <summary>A stream ended before its end. What a peer or the network can cause, so expect it around every read and write.</summary>
public sealed class PeerStreamException(StreamEnd end, uint code) : IOException(Words(end, code))
{
    /// <summary>Why.</summary>
    public StreamEnd End => end;

    /// <summary>What the peer said; 0 where it said nothing.</summary>
    public uint Code => code;

    private static string Words(StreamEnd end, uint code) => end switch
    {
        StreamEnd.Reset => $"The peer gave up the stream (code {code}).",
        StreamEnd.Stopped => $"The peer wants no more of the stream (code {code}).",
        StreamEnd.Abandoned => "The stream was given up here.",
        StreamEnd.SessionClosed => "The session ended.",
        _ => "The peer is silent.",
    };
}
