namespace Polder.Host.Pages.Pieces;

/// <summary>A block, drawn.</summary>
/// <param name="Number">Its sequence number.</param>
/// <param name="Kind">"valid", "partial", "unknown" or "invalid".</param>
public sealed record Stone(long Number, string Kind);
