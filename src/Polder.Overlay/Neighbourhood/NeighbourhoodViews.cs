using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Neighbourhood;

/// <summary>For what a neighbour was chosen (OV-7.1).</summary>
public enum NeighbourRole : byte
{
    /// <summary>It is none.</summary>
    None,
    /// <summary>Known longest, shown to nobody.</summary>
    Anchor,
    /// <summary>A short round trip.</summary>
    Near,
    /// <summary>A contact of the owner, or it shares overlays with us.</summary>
    Shared,
    /// <summary>Needed by the DHT: close to our own id.</summary>
    Need,
    /// <summary>By the place of its id, which nobody can aim for.</summary>
    Random,
    /// <summary>Brought in from a network that had no neighbour (OV-7.5).</summary>
    Fresh,
    /// <summary>To fill the number.</summary>
    Filler,
}

/// <summary>One neighbour.</summary>
/// <param name="Key">Who.</param>
/// <param name="Address">Where.</param>
/// <param name="Role">Why.</param>
/// <param name="ChosenByUs">Whether we addressed it first.</param>
/// <param name="Score">Its score, 0 to 1.</param>
/// <param name="KnownFor">How long we know it; for anchors over all runs.</param>
public sealed record NeighbourView(PublicKey Key, Endpoint Address, NeighbourRole Role, bool ChosenByUs, double Score, TimeSpan KnownFor);

/// <summary>What the owner may see of the neighbourhood: signs that somebody crowds us (overlay.md §8.5). Immutable.</summary>
/// <param name="Neighbours">Who they are.</param>
/// <param name="WideNetworks">In how many wide networks (/16, /32) they are.</param>
/// <param name="LargestWideNetwork">How many are in the fullest of these.</param>
/// <param name="ChosenByUsShare">Share of neighbours that we addressed first; 1 when there are none.</param>
/// <param name="OldestKnownFor">How long we know the oldest; null when there is none.</param>
/// <param name="PathsDisagree">Share of the last look-ups whose disjoint paths disagreed; null while nobody measures it (the DHT does).</param>
/// <param name="NetworkSizeByNearest">Estimated network size by the density of the 16 ids next to ours; null: too few are known.</param>
/// <param name="NetworkSizeByRandom">The same by the density of ids around places drawn at random; null: too few are known.</param>
/// <param name="Crowding">The first by the second; above 4 somebody crowds our neighbourhood.</param>
public sealed record NeighbourhoodView(
    IReadOnlyList<NeighbourView> Neighbours, int WideNetworks, int LargestWideNetwork, double ChosenByUsShare, TimeSpan? OldestKnownFor,
    double? PathsDisagree, double? NetworkSizeByNearest, double? NetworkSizeByRandom, double? Crowding);
