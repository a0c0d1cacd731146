import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.maven.model.Dependency;
import org.apache.maven.model.Model;
import org.apache.maven.model.Parent;
import org.apache.maven.model.Repository;
import org.apache.maven.model.building.DefaultModelBuilder;
import org.apache.maven.model.building.DefaultModelBuilderFactory;
import org.apache.maven.model.building.DefaultModelBuildingRequest;
import org.apache.maven.model.building.FileModelSource;
import org.apache.maven.model.building.ModelBuildingRequest;
import org.apache.maven.model.building.ModelProblemCollector;
import org.apache.maven.model.building.ModelSource;
import org.apache.maven.model.building.StringModelSource;
import org.apache.maven.model.io.xpp3.MavenXpp3Reader;
import org.apache.maven.model.resolution.ModelResolver;
import org.apache.maven.model.validation.DefaultModelValidator;

/**
 * Prints the dependencies of the effective model of every pom.xml below a folder, offline: parents
 * and imported BOMs are those of the tree, and an empty model stands for one that is not in it.
 */
public class MavenModel {
    private static final Map<String, File> TREE = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        Path root = Path.of(arguments[0]).toRealPath();
        List<File> poms;
        try (Stream<Path> paths = Files.walk(root)) {
            poms = paths.filter(path -> path.getFileName().toString().equals("pom.xml"))
                .filter(Files::isRegularFile).sorted().map(Path::toFile).collect(Collectors.toList());
        }
        poms.forEach(MavenModel::index);
        for (File pom : poms) {
            String name = root.relativize(pom.toPath()).toString();
            try {
                for (Dependency one : effective(pom).getDependencies()) {
                    System.out.println(String.join("\t", name, String.valueOf(one.getScope()),
                        String.valueOf(one.isOptional()), one.getGroupId() + ":" + one.getArtifactId(),
                        String.valueOf(one.getVersion())));
                }
                System.out.println(name + "\tread");
            } catch (Exception error) {
                System.out.println(name + "\tfailed\t" + error.getMessage().replaceAll("\\s+", " "));
            }
        }
    }

    private static void index(File pom) {
        try (var stream = Files.newInputStream(pom.toPath())) {
            Model model = new MavenXpp3Reader().read(stream, false);
            Parent parent = model.getParent();
            String group = model.getGroupId() == null && parent != null ? parent.getGroupId() : model.getGroupId();
            String version = model.getVersion() == null && parent != null ? parent.getVersion() : model.getVersion();
            TREE.putIfAbsent(group + ":" + model.getArtifactId() + ":" + version, pom);
        } catch (Exception damaged) {
            // Its own turn will tell.
        }
    }

    private static Model effective(File pom) throws Exception {
        DefaultModelBuilder builder = new DefaultModelBuilderFactory() {
            @Override
            protected DefaultModelValidator newModelValidator() {
                return new DefaultModelValidator(null) {
                    @Override
                    public void validateRawModel(Model m, ModelBuildingRequest r, ModelProblemCollector p) {}

                    @Override
                    public void validateEffectiveModel(Model m, ModelBuildingRequest r, ModelProblemCollector p) {}
                };
            }
        }.newInstance();
        Properties system = new Properties();
        system.setProperty("java.version", System.getProperty("java.version"));
        DefaultModelBuildingRequest request = new DefaultModelBuildingRequest();
        request.setPomFile(pom).setModelResolver(new Tree()).setSystemProperties(system)
            .setValidationLevel(ModelBuildingRequest.VALIDATION_LEVEL_MINIMAL).setProcessPlugins(false);
        return builder.build(request).getEffectiveModel();
    }

    private static final class Tree implements ModelResolver {
        @Override
        public ModelSource resolveModel(String group, String artifact, String version) {
            File pom = TREE.get(group + ":" + artifact + ":" + version);
            if (pom != null) {
                return new FileModelSource(pom);
            }
            return new StringModelSource("<project><modelVersion>4.0.0</modelVersion><groupId>" + group
                + "</groupId><artifactId>" + artifact + "</artifactId><version>" + version
                + "</version><packaging>pom</packaging></project>");
        }

        @Override
        public ModelSource resolveModel(Parent parent) {
            return resolveModel(parent.getGroupId(), parent.getArtifactId(), parent.getVersion());
        }

        @Override
        public ModelSource resolveModel(Dependency dependency) {
            return resolveModel(dependency.getGroupId(), dependency.getArtifactId(), dependency.getVersion());
        }

        @Override
        public void addRepository(Repository repository) {}

        @Override
        public void addRepository(Repository repository, boolean replace) {}

        @Override
        public ModelResolver newCopy() {
            return this;
        }
    }
}
