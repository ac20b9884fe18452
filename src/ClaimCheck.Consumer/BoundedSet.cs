namespace ClaimCheck.Consumer;

/// <summary>Remembers a limited number of the newest values. Not thread-safe.</summary>
internal sealed class BoundedSet<T>(int capacity)
    where T : notnull
{
    private readonly HashSet<T> values = [];
    private readonly Queue<T> order = new();

    public bool Contains(T value) => values.Contains(value);

    public bool Add(T value)
    {
        if (!values.Add(value))
            return false;
        order.Enqueue(value);
        if (order.Count > capacity)
            values.Remove(order.Dequeue());
        return true;
    }
}
