namespace Polder.Apps.Bundles;

/// <summary>Bounds of the mail-bag that are no settings.</summary>
public static class MailLimits
{
    /// <summary>Bytes of a letter's body; larger things go by the hash of their content.</summary>
    public const int BodyBytesMax = 256 * 1024;

    /// <summary>Own letters that are not over yet, and those whose fate is still shown. More are refused, or the oldest that are over go.</summary>
    internal const int OwnLettersMax = 50_000;

    /// <summary>Letters named in one offer.</summary>
    internal const int OfferMax = 64;

    /// <summary>Proofs of delivery told in one frame, and kept in all: the oldest give way.</summary>
    internal const int NotesPerFrameMax = 128, NotesMax = 16_384;

    /// <summary>Names of letters that were received, kept until these have expired; then an arriving letter is refused until some have.</summary>
    internal const int ReceivedMax = 1_000_000;

    /// <summary>Who holds a letter of ours, as far as it is written down.</summary>
    internal const int CarriersMax = 16;

    /// <summary>Letters longer than this, and those of somebody who left more than that here, are carried but not handed on to further carriers.</summary>
    internal const int SpreadLetterBytesMax = 64 * 1024, SpreadDepositBytesMax = 512 * 1024;

    /// <summary>Clocks may be so wrong (OV-4.7).</summary>
    internal static readonly TimeSpan ClockSlack = TimeSpan.FromHours(24);
}
