using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Polder.Benchmarks;

/// <summary>
/// What work cost the processor, whoever else was using it. Figures are by the wall clock; this tells, beside them, how much of a
/// missed limit is the path's own doing and how much the machine's.
/// </summary>
internal static partial class ProcessorTime
{
    private const int ThreadClock = 3;

    /// <summary>Of all threads of this process.</summary>
    public static TimeSpan OfProcess()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    /// <summary>Of the calling thread; zero where the system has no such clock (other than Linux).</summary>
    public static TimeSpan OfThread() =>
        OperatingSystem.IsLinux() && GetTime(ThreadClock, out var time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1_000.0) : TimeSpan.Zero;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
