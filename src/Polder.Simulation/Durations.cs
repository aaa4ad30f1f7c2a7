namespace Polder.Simulation;

/// <summary>Scenarios read better with <c>40.Milliseconds</c>.</summary>
public static class Durations
{
    extension(int count)
    {
        /// <summary>So many milliseconds.</summary>
        public TimeSpan Milliseconds => TimeSpan.FromTicks(count * TimeSpan.TicksPerMillisecond);
        /// <summary>So many seconds.</summary>
        public TimeSpan Seconds => TimeSpan.FromTicks(count * TimeSpan.TicksPerSecond);
        /// <summary>So many minutes.</summary>
        public TimeSpan Minutes => TimeSpan.FromTicks(count * TimeSpan.TicksPerMinute);
        /// <summary>So many hours.</summary>
        public TimeSpan Hours => TimeSpan.FromTicks(count * TimeSpan.TicksPerHour);
    }
}
