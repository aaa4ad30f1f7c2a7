namespace Polder.Overlay.Neighbourhood;

/// <summary>Somebody who needs certain peers as neighbours, such as a DHT its closest ones (OV-7.1). Register with <see cref="NeighbourhoodKeeper.Add"/>.</summary>
public interface INeighbourNeed
{
    /// <summary>How much it needs this peer: 0 not at all, the largest first. Cheap: asked for every peer at each choice.</summary>
    double Of(Peer peer);
}
