using System.Globalization;
using System.Text;
using Polder.Net;

namespace Polder.Simulation;

/// <summary>Something that happened, kept small: it becomes text only when a run fails.</summary>
internal readonly record struct RecentEvent(long Time, string What, int From, int To, Endpoint Endpoint, int Bytes, int Message);

/// <summary>The last events of a world, in a ring.</summary>
internal sealed class RecentEvents(int kept)
{
    private readonly RecentEvent[] _ring = new RecentEvent[kept];
    private long _count;

    public void Add(RecentEvent item) => _ring[_count++ % _ring.Length] = item;

    public string Print(IReadOnlyList<SimulatedNode> nodes)
    {
        var text = new StringBuilder();
        for (var i = Math.Max(0, _count - _ring.Length); i < _count; i++)
        {
            var item = _ring[i % _ring.Length];
            text.Append(CultureInfo.InvariantCulture, $"  {TimeSpan.FromTicks(item.Time):hh\\:mm\\:ss\\.fffffff}  ");
            if (item.From < 0)
            {
                text.AppendLine(item.What);
                continue;
            }
            var to = item.To >= 0 ? nodes[item.To].Name : item.Endpoint.ToString();
            text.Append(CultureInfo.InvariantCulture, $"{nodes[item.From].Name} -> {to}  {item.What}, {item.Bytes} bytes");
            if (item.Message > 0) text.Append(CultureInfo.InvariantCulture, $", message {item.Message}");
            text.AppendLine();
        }
        return text.ToString();
    }
}
