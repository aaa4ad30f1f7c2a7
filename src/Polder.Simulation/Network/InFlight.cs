using Polder.Net;

namespace Polder.Simulation.Network;

/// <summary>A datagram on its way. Taken from a pool and given back, with its buffer, after it arrived.</summary>
internal sealed class InFlight
{
    public byte[] Buffer = new byte[512];
    public int Length;
    public Endpoint From, To;
    public Realm Realm = null!;
    public SimulatedNode Sender = null!;

    /// <summary>Who was at the destination when it was sent; null behind boxes.</summary>
    public SimulatedSocket? Target;

    public void Fill(ReadOnlySpan<byte> datagram)
    {
        if (Buffer.Length < datagram.Length) Buffer = new byte[Math.Max(datagram.Length, 1536)];
        datagram.CopyTo(Buffer);
        Length = datagram.Length;
    }
}
