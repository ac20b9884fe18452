using System.Collections.Frozen;

namespace ClaimCheck.Service.Datasets;

/// <summary>A dataset or an operation as it was read, usable or not.</summary>
internal interface IDefinition
{
    string Name { get; }

    DefinitionPair Files { get; }

    /// <summary>Why it can't be used at present, or null.</summary>
    /// <param name="anew">Whether its database is asked again although it has answered a moment ago.</param>
    /// <param name="cancellationToken">Cancels the wait, not the query.</param>
    Task<Unavailability?> AskAsync(bool anew, CancellationToken cancellationToken);
}

/// <summary>A snapshot of a folder's definitions: later changes do not alter it.</summary>
internal sealed class DefinitionSet<T>(IEnumerable<T> definitions)
    where T : class, IDefinition
{
    private readonly FrozenDictionary<string, T> byName = definitions.ToFrozenDictionary(
        definition => definition.Name, StringComparer.Ordinal);

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<T> All => field ??= [.. byName.Values.OrderBy(definition => definition.Name, StringComparer.Ordinal)];

    public T? Find(string name) => byName.GetValueOrDefault(name);
}

/// <summary>The definitions of a folder, read at start and again whenever it changes. A fault in one does not affect the
/// others.</summary>
/// <param name="kind">The words for it in messages.</param>
/// <param name="define">Creates a definition from what was read, and from the earlier one of that name.</param>
/// <param name="logger">Logs each reading that changed something.</param>
internal sealed partial class Definitions<T>(DefinitionKind kind, Func<DefinitionPair, T?, T> define, ILogger logger)
    where T : class, IDefinition
{
    private readonly Lock reading = new();
    private DefinitionSet<T> current = new([]);
    private bool isFirst = true;

    /// <summary>As last read.</summary>
    public DefinitionSet<T> Current => Volatile.Read(ref current);

    /// <summary>Reads the folder again. Definitions whose files are unchanged are kept.</summary>
    /// <param name="all">Whether all databases are asked again, or only for new definitions.</param>
    /// <param name="cancellationToken">Cancels the wait for the databases.</param>
    /// <exception cref="StartupException">The folder can't be read; the earlier definitions stay.</exception>
    public async Task<IReadOnlyList<ReloadedDefinition>> ReadAsync(string folder, bool all, CancellationToken cancellationToken)
    {
        var changes = Read(folder);
        return await Task.WhenAll(changes.Select(async change =>
        {
            var (name, what, now) = change;
            if (now is null)
                return new ReloadedDefinition(name, what, Available: false, Unavailable: null);
            var unavailable =
                all || what != DefinitionChange.Unchanged ? await now.AskAsync(anew: true, cancellationToken) : null;
            return new ReloadedDefinition(name, what, unavailable is null, unavailable);
        }));
    }

    // One at a time: the last caller gets the latest state.
    private List<(string Name, string Change, T? Now)> Read(string folder)
    {
        lock (reading)
        {
            var before = current;
            var changes = new List<(string Name, string Change, T? Now)>();
            foreach (var pair in Pairs(folder))
            {
                var known = before.Find(pair.Name);
                if (known is not null && known.Files.IsSameAs(pair))
                    changes.Add((pair.Name, DefinitionChange.Unchanged, known));
                else
                    changes.Add(
                        (pair.Name, known is null ? DefinitionChange.Added : DefinitionChange.Changed, define(pair, known)));
            }

            var next = new DefinitionSet<T>(changes.Select(change => change.Now!));
            changes.AddRange(before.All.Where(known => next.Find(known.Name) is null)
                .Select(known => (known.Name, DefinitionChange.Removed, (T?)null)));
            changes.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
            Volatile.Write(ref current, next);
            if (isFirst)
                Log.Loaded(logger, next.All.Count, kind.Many, folder);
            else if (changes.Exists(change => change.Change != DefinitionChange.Unchanged))
                Log.Reloaded(logger, kind.Many, folder, List(DefinitionChange.Added), List(DefinitionChange.Changed),
                    List(DefinitionChange.Removed));
            isFirst = false;
            return changes;

            int List(string what) => changes.Count(change => change.Change == what);
        }
    }

    private IReadOnlyList<DefinitionPair> Pairs(string folder)
    {
        try
        {
            return DefinitionPair.ReadAll(folder, kind);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new StartupException(
                $"The folder {folder} with the {kind.Many} does not exist: create it, or set {kind.Setting} to another one.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The folder {folder} to read {kind.Many} from can't be read: give the service's user the right to, or set "
                + $"{kind.Setting} to another one.",
                e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} {Kind} are read from {Folder}.")]
        public static partial void Loaded(ILogger logger, int count, string kind, string folder);

        [LoggerMessage(
            LogLevel.Information, "The {Kind} of {Folder} are read again: {Added} added, {Changed} changed, {Removed} removed.")]
        public static partial void Reloaded(ILogger logger, string kind, string folder, int added, int changed, int removed);
    }
}
