using Polder.Host.Commands;

return await CommandLine.RunAsync(args, Surroundings.OfProcess()).ConfigureAwait(false);
