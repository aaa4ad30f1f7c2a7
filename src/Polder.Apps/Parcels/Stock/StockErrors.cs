namespace Polder.Apps.Parcels.Stock;

/// <summary>The fixed words with which the stock programs end a transfer.</summary>
internal static class StockErrors
{
    public const string Rejected = "transfer rejected";
    public const string UnknownOffer = "unknown offer type";
    public const string UnknownMode = "unknown mode";
    public const string VerifierRejected = "sender rejected verification check, abandoned transfer";
}
