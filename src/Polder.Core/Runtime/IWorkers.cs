namespace Polder.Runtime;

/// <summary>Runs heavy pure work (verifying chains, hashing) off the loop. The result comes back to the loop.</summary>
public interface IWorkers
{
    /// <summary>How many pieces of work run at the same time.</summary>
    int Parallelism { get; }

    /// <summary>
    /// Runs <paramref name="work"/>, which touches nothing of the node: on the thread pool in production, inline after a
    /// virtual delay in the simulator. The task completes on the loop.
    /// </summary>
    Task<T> RunAsync<T>(Func<T> work);
}
