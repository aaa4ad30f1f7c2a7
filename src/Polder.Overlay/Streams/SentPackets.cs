using System.Diagnostics;
using System.Numerics;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>What a packet carried that must arrive: bytes of a stream, or a control frame.</summary>
internal struct SentFrame
{
    public FrameType Type;
    public bool Fin;
    public int Start, Length;
    public ulong Offset;
    public PeerStream? Stream;
    public PacketBuffer? Buffer;
}

internal enum PacketState : byte { Outstanding, Arrived, Lost }

/// <summary>A packet that asks for an acknowledgement.</summary>
internal struct SentPacket
{
    public PacketNumber Number;
    public TimeSpan SentAt;
    public int Bytes;
    public bool Background;
    public PacketState State;
    /// <summary>A probe of the path's datagram size: its loss says nothing about congestion.</summary>
    public int ProbeBytes;
    /// <summary>For the rate: bytes of the class that had arrived when it was sent, and when the last of them did.</summary>
    public long ArrivedBefore;
    public TimeSpan ArrivedAt;
    /// <summary>With an acknowledgement in it: the largest number that it named.</summary>
    public PacketNumber? Acknowledged;
    public SentFrame First;
    public int FrameCount;
    public SentFrame[]? More;
}

/// <summary>Packets that were sent and not heard of, in order of sending. A ring that grows.</summary>
internal sealed class SentPackets
{
    private const int CapacityMin = 16;

    private SentPacket[] _ring = new SentPacket[CapacityMin];

    /// <summary>Places from <see cref="First"/> to just before <see cref="End"/> are in use. They only grow.</summary>
    public long First { get; private set; }
    public long End { get; private set; }

    /// <summary>Packets in <see cref="PacketState.Outstanding"/>.</summary>
    public int Outstanding { get; private set; }

    public ref SentPacket this[long place] => ref _ring[place & (_ring.Length - 1)];

    public ref SentPacket Add(PacketNumber number)
    {
        if (End - First == _ring.Length) Resize(_ring.Length * 2);
        ref var packet = ref this[End++];
        packet = default;
        packet.Number = number;
        Outstanding++;
        return ref packet;
    }

    public void Settle(ref SentPacket packet, PacketState state)
    {
        Debug.Assert(packet.State == PacketState.Outstanding);
        packet.State = state;
        Outstanding--;
    }

    /// <summary>The first place whose number is not below <paramref name="number"/>.</summary>
    public long PlaceOf(PacketNumber number)
    {
        var (low, high) = (First, End);
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            if (this[middle].Number < number) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Gives back places at the old end: of packets that arrived, and of lost ones sent before <paramref name="forget"/>.</summary>
    public void Trim(TimeSpan forget)
    {
        while (First < End && this[First].State is var state && state != PacketState.Outstanding
               && (state == PacketState.Arrived || this[First].SentAt < forget || Outstanding == 0))
            this[First++] = default;
        if (First == End && _ring.Length > CapacityMin * 64) _ring = new SentPacket[CapacityMin];
    }

    private void Resize(int capacity)
    {
        Debug.Assert(BitOperations.IsPow2(capacity));
        var ring = new SentPacket[capacity];
        for (var place = First; place < End; place++) ring[place & (capacity - 1)] = this[place];
        _ring = ring;
    }
}
